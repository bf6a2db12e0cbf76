"""`guard index`: the blind index by which customers are found.

It reads customers' identifiers from the source and writes the ledger, with the service's own keys:
on SQLite the service must not be running (a line says so). A walk that was stopped goes on where it
stood.
"""

import sys
from collections import Counter
from contextlib import suppress
from typing import Annotated

import msgspec
import typer

from api.cli.instants import instant
from api.cli.opened import services
from api.cli.outcome import Exit, Json, run_async, say
from api.places import index_cursor
from api.settings import Settings, load_settings
from guard.durable import replace_file
from guard.indexing import DEFAULT_RATE, IndexPage

Totals = Counter[str]
app = typer.Typer(help="What customers can be found by, exactly.", no_args_is_help=True)


@app.command()
def build(
    *,
    tenant: Annotated[str, typer.Option(help="Tenant.")] = "demo",
    since: Annotated[
        str, typer.Option(help="RFC 3339; only customers touched since, or never indexed.")
    ] = "",
    rate: Annotated[
        float, typer.Option(min=0.1, max=10_000, help="Customers a second, at most.")
    ] = DEFAULT_RATE,
    restart: Annotated[
        bool, typer.Option("--restart", help="From the first customer, not where it stopped.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fill or refresh the index from the source; exit 1 if some customers could not be read."""
    settings = load_settings()
    start = instant(since)
    after = "" if restart or start is not None else _cursors(settings).get(tenant, "")

    async def work() -> Totals:
        totals = Totals()
        async with services(settings) as opened:
            walk = opened.indexing.walk(tenant, after=after, since=start, rate=rate)
            async for page in walk:
                _add(totals, page)
                print(_line(totals), file=sys.stderr)
                if start is None:
                    _keep_cursor(settings, tenant, page.after)
        return totals

    totals = run_async(work)
    if start is None:
        _keep_cursor(settings, tenant, None)
    document = {"tenant": tenant, "resumed": bool(after), **dict(sorted(totals.items()))}
    say(document, [_line(totals)], as_json=as_json)
    if totals["failed"]:
        raise typer.Exit(Exit.FOUND)


def _add(totals: Totals, page: IndexPage) -> None:
    totals.update(
        read=page.read,
        gone=page.gone,
        erased=page.erased,
        unusable=page.unusable,
        failed=page.failed,
        identifiers=sum(page.indexed.values()),
    )


def _line(totals: Totals) -> str:
    return (
        f"{totals['read']} customers read, {totals['identifiers']} identifiers indexed,"
        f" {totals['gone']} gone from the source, {totals['unusable']} values unusable,"
        f" {totals['failed']} could not be read"
    )


def _cursors(settings: Settings) -> dict[str, str]:
    """By tenant, the reference behind which a stopped walk goes on."""
    with suppress(FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return msgspec.json.decode(index_cursor(settings).read_bytes(), type=dict[str, str])
    return {}


def _keep_cursor(settings: Settings, tenant: str, after: str | None) -> None:
    cursors = _cursors(settings) | {tenant: after or ""}
    kept = {name: ref for name, ref in cursors.items() if ref}
    replace_file(index_cursor(settings), msgspec.json.encode(kept))


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="index")
