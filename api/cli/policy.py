"""`guard policy`: look at a bundle before it decides about anybody.

lint     what loads and is still unwise
test     decision tables, as the security team writes them
explain  why one request, or one entry of the log, was decided as it was
diff     which roles, purposes and fields a change would change, over all combinations of facts
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import policies
from api.cli.outcome import Exit, Json, say
from api.places import database_url, open_keyring
from api.settings import load_settings
from guard.errors import ConfigurationError, InvalidRequestError, NotFoundError
from guard.ledger.entry import open_entry
from guard.store import migrate as tables_of_store
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault
from policies.bundle import Bundle, load_bundle
from policies.cells import USUAL, Cell, changed_cells
from policies.engine import Engine
from policies.explain import Explanation, Voice
from policies.explain import explain as explanation_of
from policies.facts import parse_facts
from policies.lint import lint as findings_in
from policies.model import Act, Desk, Facts, Forbid, Role
from policies.tables import Mismatch, parse_table, run_table

SHIPPED = Path(policies.__file__).parent / "bundles" / "default"
# The folder of a bundle that holds its decision tables.
TABLES = "tables"
# A bundle is a handful of small texts.
MAX_FILE = 1 << 20

Folder = Annotated[Path, typer.Argument(help="Folder of the bundle; without it: the shipped one.")]
OtherFolder = Annotated[Path, typer.Option("--bundle", help="Folder of the bundle.")]
app = typer.Typer(help="Check, try and compare policy bundles.", no_args_is_help=True)


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Read the files of a bundle.

    Raises:
        ConfigurationError: The folder cannot be read, or holds a file that is too large.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        if any(path.stat().st_size > MAX_FILE for path in files):
            raise ConfigurationError(f"bundle `{folder}` holds a file over {MAX_FILE} bytes")
        return {path.name: path.read_bytes() for path in files}
    except OSError as error:
        raise ConfigurationError(f"bundle `{folder}` cannot be read: {error.strerror}") from None


@app.command()
def lint(bundle: Folder = SHIPPED, *, as_json: Json = False) -> None:
    """Say what is wrong or unwise in a bundle; exit 1 if anything is."""
    found = findings_in(read_bundle(bundle))
    rows = [{"file": f.file, "line": f.line, "rule": f.rule, "message": f.message} for f in found]
    say({"findings": rows}, map(str, found) if found else ["no findings"], as_json=as_json)
    if found:
        raise typer.Exit(Exit.FOUND)


@app.command("test")
def run_tables(
    tables: Annotated[
        list[Path] | None,
        typer.Argument(help="Decision tables (TOML) or folders; without: the bundle's own."),
    ] = None,
    *,
    bundle: OtherFolder = SHIPPED,
    as_json: Json = False,
) -> None:
    """Decide every case of decision tables; exit 1 if one is decided otherwise."""
    files = read_bundle(bundle)
    cases, missed = 0, list[Mismatch]()
    for path in _tables(tables or [bundle / TABLES]):
        table = parse_table(_read_table(path), path.name)
        cases += len(table.cases)
        missed += run_table(table, files)
    lines = [*map(str, missed), f"{cases} cases, {len(missed)} decided otherwise"]
    say({"cases": cases, "mismatches": [str(m) for m in missed]}, lines, as_json=as_json)
    if missed:
        raise typer.Exit(Exit.FOUND)


def _tables(paths: Iterable[Path]) -> list[Path]:
    """The tables themselves, and those of folders."""
    found = [one for p in paths for one in (sorted(p.glob("*.toml")) if p.is_dir() else [p])]
    if not found:
        raise ConfigurationError(f"no decision tables: name some, or put them into `{TABLES}`")
    return found


def _read_table(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"table `{path}` cannot be read: {error.strerror}") from None


@app.command()
def explain(  # noqa: PLR0913 - each is an option of the command
    facts: Annotated[
        list[str] | None,
        typer.Argument(help="Facts that are not usual, as link=none; see docs/policies.md."),
    ] = None,
    *,
    act: Annotated[Act, typer.Option(help="What is asked for.")] = Act.VIEW,
    cls: Annotated[str | None, typer.Option("--class", help="One field class.")] = None,
    close: Annotated[
        bool, typer.Option("--close", help="Also the policies that one condition kept out.")
    ] = False,
    entry: Annotated[
        int | None, typer.Option(help="The entry of the log with this index, as it was decided.")
    ] = None,
    bundle: OtherFolder = SHIPPED,
    as_json: Json = False,
) -> None:
    """Say which policies decide a request, in their own words, and which were close."""
    if entry is not None:
        if facts:
            raise InvalidRequestError("give facts or `--entry`, not both")
        asked, act, chosen = _entry(entry)
    else:
        asked, chosen = _facts(facts or []), load_bundle(read_bundle(bundle))
    if cls is not None and cls not in chosen.classes:
        raise InvalidRequestError(f"no field has that class: use {', '.join(chosen.classes)}")
    found = explanation_of(Engine(chosen), asked, act, cls)
    if not close:
        found = replace(found, close=())
    say(_document(found, asked, act, chosen), _lines(found, asked, act, cls), as_json=as_json)


def _facts(pairs: Iterable[str]) -> Facts:
    """The usual facts with those given in their place."""
    values: dict[str, str | bool] = USUAL.as_dict()
    for pair in pairs:
        name, _, value = pair.partition("=")
        is_flag = isinstance(values.get(name), bool) and value in ("true", "false")
        values[name] = value == "true" if is_flag else value
    return parse_facts(values)


def _entry(index: int) -> tuple[Facts, Act, Bundle]:
    """The facts, act and bundle by which an entry was decided."""
    settings = load_settings()
    url = database_url(settings)
    tables_of_store.check(url)
    vault = EntryVault(open_keyring(settings))
    with SqlReader(url) as store, store.read() as view:
        stored = view.entries(index, 1) if index >= 0 else []
        if not stored:
            raise NotFoundError("the log has no entry of that index: see `guard verify`")
        subjects = view.subjects(set(stored[0].refs))
        event = open_entry(stored[0], vault, subjects).event
        values, files = view.facts(event.facts_id), view.bundle(event.bundle)
    if values is None or files is None:
        raise NotFoundError("no policy decided that entry: name a view, a refusal or another act")
    return parse_facts(values), Act(event.act), load_bundle(files)


def _document(found: Explanation, facts: Facts, act: Act, bundle: Bundle) -> Mapping[str, object]:
    decision = found.decision
    is_refused = isinstance(decision, Forbid)
    return {
        "effect": "forbid" if is_refused else "permit",
        "act": act.value,
        "bundle": bundle.digest,
        "facts": facts.as_dict(),
        "reasons": list(decision.reasons) if isinstance(decision, Forbid) else [],
        "forms": {}
        if isinstance(decision, Forbid)
        else {cls: form.name.lower() for cls, form in decision.forms.items()},
        "obligations": [] if isinstance(decision, Forbid) else list(decision.obligations),
        "decided": [_row(voice) for voice in found.decided],
        "close": [_row(near.voice) | {"missing": near.missing} for near in found.close],
    }


def _row(voice: Voice) -> dict[str, object]:
    return {
        "id": voice.id,
        "place": f"{voice.file}:{voice.line}",
        "question": voice.question.value,
        "says": voice.says,
        "reason": voice.reason,
    }


def _lines(found: Explanation, facts: Facts, act: Act, cls: str | None) -> list[str]:
    decision = found.decision
    if isinstance(decision, Forbid):
        head = [f"{act} is refused", *(f"  {reason}" for reason in decision.reasons)]
    else:
        forms = decision.forms if cls is None else {cls: decision.forms[cls]}
        looks = ", ".join(f"{name} {form.name.lower()}" for name, form in forms.items())
        carried = ", ".join(decision.obligations)
        head = [f"{act} goes on: {looks}", *([f"  to do: {carried}"] if carried else [])]
    return [
        *head,
        f"facts: {_unusual(facts)}",
        "decided by",
        *(_said(voice) for voice in found.decided),
        *(["close"] if found.close else []),
        *(f"{_said(near.voice)}\n      {near.missing}" for near in found.close),
    ]


def _said(voice: Voice) -> str:
    return f"  {voice.says:7} {voice.id} ({voice.file}:{voice.line}): {voice.reason}"


def _unusual(facts: Facts) -> str:
    """The facts that are not as usual."""
    usual = USUAL.as_dict()
    found = {n: v for n, v in facts.as_dict().items() if v != usual[n]}
    plain = (f"{n}={str(v).lower() if isinstance(v, bool) else v}" for n, v in found.items())
    return " ".join(plain) or "all as usual"


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of the bundle in force.")],
    after: Annotated[Path, typer.Argument(help="Folder of the bundle that may follow.")],
    *,
    as_json: Json = False,
) -> None:
    """Say which cells of role, desk, purpose and field class change; exit 1 if any does."""
    old, new = (load_bundle(read_bundle(folder)) for folder in (before, after))
    cells = changed_cells(old, new)
    document = {"before": old.digest, "after": new.digest, "cells": [_cell(c) for c in cells]}
    say(document, _diff_lines(cells) if cells else ["no change"], as_json=as_json)
    if cells:
        raise typer.Exit(Exit.FOUND)


def _cell(cell: Cell) -> dict[str, object]:
    return {
        "role": cell.role,
        "desk": cell.desk,
        "purpose": cell.purpose,
        "act": cell.act,
        "what": cell.what,
        "before": cell.before,
        "after": cell.after,
        "facts": cell.facts,
        "example": cell.example.as_dict(),
    }


def _diff_lines(cells: Iterable[Cell]) -> list[str]:
    """One line for all roles and desks that change alike."""
    by_role: dict[tuple[object, ...], list[Cell]] = {}
    for c in cells:
        by_role.setdefault((*_change(c), c.role), []).append(c)
    alike: dict[tuple[object, ...], list[list[Cell]]] = {}
    for desks in by_role.values():
        alike.setdefault((*_change(desks[0]), *(c.desk for c in desks)), []).append(desks)
    rows = [_diff_row(group) for group in alike.values()]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _change(cell: Cell) -> tuple[object, ...]:
    """What changes in a cell, whoever it is about."""
    return cell.act, cell.purpose, cell.what, cell.before, cell.after, cell.facts


def _diff_row(group: list[list[Cell]]) -> tuple[str, ...]:
    first = group[0][0]
    roles = [cells[0].role.value for cells in group]
    desks = [cell.desk.value for cell in group[0]]
    return (
        "any role" if len(roles) == len(Role) else ", ".join(roles),
        "any desk" if len(desks) == len(Desk) else ", ".join(desks),
        first.purpose.value,
        f"{first.act} {first.what}",
        f"{first.before} -> {first.after}",
        f"{first.facts:,} sets of facts each",
        f"e.g. {_unusual(first.example)}",
    )


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="policy")
