"""`guard migrate`: the tables, forward, back, or only looked at."""

from typing import Annotated

import typer

from api.cli.outcome import Exit, Json, say
from api.places import database_url
from api.settings import load_settings
from guard.errors import InvalidRequestError
from guard.store import migrate as tables


def migrate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit 78 if they differ.")
    ] = False,
    down: Annotated[
        bool, typer.Option("--down", help="Drop every table and all that is in them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the tables, or bring them to what this release needs."""
    if check and down:
        raise InvalidRequestError("choose `--check` or `--down`")
    url = database_url(load_settings())
    if check:
        tables.check(url)
    elif down:
        tables.downgrade(url, "base")
    else:
        tables.upgrade(url)
    revision = tables.current(url) or "none"
    say({"revision": revision}, [f"the tables stand at revision {revision}"], as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=f"Exit {Exit.CONFIG}: another revision is needed, or a broker runs.")(
        migrate
    )
