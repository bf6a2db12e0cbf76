"""`guard log reconcile`: what was read from sources, against the entries that account for it."""

from typing import Annotated

import typer

from api.cli.instants import instant
from api.cli.log_questions import app as log_app
from api.cli.outcome import Exit, Json, say
from api.places import database_url, open_keyring
from api.settings import load_settings
from guard.clock import to_rfc3339
from guard.reconciliation import WriterReads
from guard.reconciliation import reconcile as tally
from guard.store import migrate as tables
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault


def reconcile(
    *,
    since: Annotated[str, typer.Option(help="RFC 3339; only writers that began since.")] = "",
    as_json: Json = False,
) -> None:
    """Lay what was read from sources against the entries that account for it, by writer.

    Of a writer that is at work, what is under way right now counts as a difference.
    """
    settings = load_settings()
    url = database_url(settings)
    tables.check(url)
    vault = EntryVault(open_keyring(settings))
    with SqlReader(url) as store, store.read() as view:
        writers = tally(view, vault, since=instant(since))
    lines = [_line(one) for one in writers] or ["no writer began since then"]
    say({"writers": [_document(one) for one in writers]}, lines, as_json=as_json)
    if any(one.difference > 0 and one.is_closed for one in writers):
        raise typer.Exit(Exit.FOUND)


def _line(one: WriterReads) -> str:
    state = "closed" if one.is_closed else "not closed"
    return (
        f"writer {one.writer} of {to_rfc3339(one.opened_at)} ({state}): {one.reads} reads,"
        f" {one.entries} in entries, difference {one.difference}; {one.in_words}"
    )


def _document(one: WriterReads) -> dict[str, object]:
    return {
        "writer": one.writer,
        "opened_at": to_rfc3339(one.opened_at),
        "closed": one.is_closed,
        "reads": one.reads,
        "entries": one.entries,
        "difference": one.difference,
        "bound": one.bound,
        "since": to_rfc3339(one.since),
    }


def register(_app: typer.Typer) -> None:
    """Add the command to those of the log."""
    log_app.command(epilog=f"Exit {Exit.FOUND:d}: a writer that has ended read without an entry.")(
        reconcile
    )
