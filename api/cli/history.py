"""`guard verify-history`: whether a kept history is what was given out."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.outcome import Exit, Json, say
from api.places import export_signer, open_keyring
from api.settings import load_settings
from guard.history import HistoryDocument, OwnHistoryDocument, open_history
from guard.ledger.note import parse_vkey


def verify_history(
    file: Annotated[Path, typer.Argument(help="The document, as the portal gave it.")],
    *,
    vkey: Annotated[
        str, typer.Option(help="The key that signs it; without it: this installation's own.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Check that a history is what was given out, word for word."""
    key = parse_vkey(vkey) if vkey else None
    if key is None:
        settings = load_settings()
        key = export_signer(open_keyring(settings), settings).verifier
    document = open_history(file.read_bytes(), key)
    lines = [
        f"signed by {key.name}: {_whose(document)} as of {document.as_of}",
        _holds(document),
        f"log of {document.size} entries, root {document.root}",
        f"key {key.encode()}",
    ]
    found = msgspec.to_builtins(document)
    say({"vkey": key.encode(), "document": found}, lines, as_json=as_json)


def _whose(document: HistoryDocument | OwnHistoryDocument) -> str:
    if isinstance(document, OwnHistoryDocument):
        return f"what is logged about {document.person}"
    return f"the history of {document.customer}"


def _holds(document: HistoryDocument | OwnHistoryDocument) -> str:
    if isinstance(document, OwnHistoryDocument):
        lists = document.history.items()
        return ", ".join(f"{name}: {len(rows)}" for name, rows in lists if isinstance(rows, list))
    ends = "nothing older" if document.complete else "older ones follow on another page"
    return f"{len(document.rows)} rows, {ends}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=f"Exit {Exit.FOUND:d}: it was changed, or not signed with that key.")(
        verify_history
    )
