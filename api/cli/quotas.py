"""`guard quotas`: budgets, recomputed from the charges that the entries hold.

Counters are derived. Everything that was ever charged is in an entry, so they can be computed a
second time, by other arithmetic, and must come out equal.
"""

from collections.abc import Iterator
from typing import Annotated

import typer

from api.cli.outcome import Exit, Json, say
from api.places import database_url, open_keyring
from api.replaying import opened_entries
from api.settings import load_settings
from guard.entries import OpenedEntry
from guard.quotas import Charged, charged_in, settle
from guard.quotas import rebuild as recompute
from guard.rows import BudgetState
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault

CounterKey = tuple[str, str, str]
app = typer.Typer(help="What the budgets hold, and whether they are right.", no_args_is_help=True)


@app.command()
def rebuild(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the stored counters; exit 1 if unequal.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recompute every counter from the charges in the entries, and say what came out."""
    settings = load_settings()
    vault = EntryVault(open_keyring(settings))
    with SqlReader(database_url(settings)) as store, store.read() as view:
        now = view.newest_at()
        state = recompute(charges(opened_entries(view, vault)), now)
        rebuilt = used(state)
        found = view.budget_state({key for key, _, _ in rebuilt}, [], now)
    settle(found, now)
    stored = used(found)
    wrong = {k: (stored.get(k, 0), n) for k, n in rebuilt.items() if stored.get(k, 0) != n}
    document = {
        "counters": len(rebuilt),
        "used": [
            {"key": k, "measure": m, "window": w, "used": n} for (k, m, w), n in rebuilt.items()
        ],
        "wrong": [
            {"key": k, "measure": m, "window": w, "stored": was, "rebuilt": again}
            for (k, m, w), (was, again) in wrong.items()
        ],
    }
    lines = [
        f"{k} {m} {w}: stored {was}, rebuilt {again}" for (k, m, w), (was, again) in wrong.items()
    ]
    verdict = f"{len(rebuilt)} counters rebuilt, {len(wrong)} differ from what is stored"
    say(document, [*lines, verdict], as_json=as_json)
    if check and wrong:
        raise typer.Exit(Exit.FOUND)


def charges(entries: Iterator[OpenedEntry]) -> Iterator[Charged]:
    """The charges of the log, in its order; a refund names the view that it takes back."""
    return (charged for charged in map(charged_in, entries) if charged is not None)


def used(state: BudgetState) -> dict[CounterKey, int]:
    """What each counter holds, by key, measure and window."""
    found = {(k, m, w.value): c.used for (k, m, w), c in state.counters.items()}
    return dict(sorted(found.items()))


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="quotas")
