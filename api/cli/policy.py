"""`guard policy`: look at a bundle before it decides about anybody.

lint    what loads and is still unwise
test    decision tables, as the security team writes them
diff    what a change would change, for every combination of facts
"""

from itertools import product
from pathlib import Path
from typing import Annotated

import typer

import policies
from api.cli.outcome import Exit, Json, say
from guard.errors import ConfigurationError
from policies.bundle import load_bundle
from policies.diff import Change
from policies.diff import diff as changes_between
from policies.engine import Engine
from policies.facts import parse_facts
from policies.lint import lint as findings_in
from policies.model import ActorKind, Desk, Facts, Link, Purpose, Risk, Role, Tie, Tier
from policies.tables import Mismatch, parse_table, run_table

SHIPPED = Path(policies.__file__).parent / "bundles" / "default"
# A bundle is a handful of small texts.
MAX_FILE = 1 << 20

Bundle = Annotated[Path, typer.Argument(help="Folder of the bundle; without it: the shipped one.")]
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
def lint(bundle: Bundle = SHIPPED, *, as_json: Json = False) -> None:
    """Say what is wrong or unwise in a bundle; exit 1 if anything is."""
    found = findings_in(read_bundle(bundle))
    rows = [{"file": f.file, "line": f.line, "rule": f.rule, "message": f.message} for f in found]
    say({"findings": rows}, map(str, found) if found else ["no findings"], as_json=as_json)
    if found:
        raise typer.Exit(Exit.FOUND)


@app.command("test")
def run_tables(
    tables: Annotated[list[Path], typer.Argument(help="Decision tables (TOML).")],
    *,
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = SHIPPED,
    as_json: Json = False,
) -> None:
    """Decide every case of decision tables; exit 1 if one is decided otherwise."""
    files = read_bundle(bundle)
    cases, missed = 0, list[Mismatch]()
    for path in tables:
        table = parse_table(_read_table(path), path.name)
        cases += len(table.cases)
        missed += run_table(table, files)
    lines = [*map(str, missed), f"{cases} cases, {len(missed)} decided otherwise"]
    say({"cases": cases, "mismatches": [str(m) for m in missed]}, lines, as_json=as_json)
    if missed:
        raise typer.Exit(Exit.FOUND)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of the bundle in force.")],
    after: Annotated[Path, typer.Argument(help="Folder of the bundle that may follow.")],
    *,
    as_json: Json = False,
) -> None:
    """Say what the second bundle opens and closes, over all facts; exit 1 if anything."""
    engines = [Engine(load_bundle(read_bundle(folder))) for folder in (before, after)]
    changes = changes_between(engines[0], engines[1], all_facts())
    tally = _tally(changes)
    lines = [f"{way} {what}: {n} combinations of facts" for (way, what), n in tally.items()]
    example = [f"for example: {_facts_in_words(changes[0].facts)}"] if changes else ["no change"]
    document = {
        "changes": len(changes),
        "points": [{"way": way, "what": what, "facts": n} for (way, what), n in tally.items()],
        "example": changes[0].facts.as_dict() if changes else None,
    }
    say(document, [*lines, *example], as_json=as_json)
    if changes:
        raise typer.Exit(Exit.FOUND)


def all_facts() -> list[Facts]:
    """Facts that a request can have, with every value of each that decides about access.

    Roles, actors, purposes, links, tiers and rungs in every combination; desks, ties and the
    booleans one at a time against the ordinary case.
    """
    ordinary = {
        "on_shift": True,
        "same_tenant": True,
        "same_region": True,
        "fresh_mfa": False,
        "reason_given": False,
        "customer_present": False,
    }
    usual = {**ordinary, "desk": Desk.FRONT_LINE, "tie": Tie.NONE}
    variants = [
        usual,
        *({**usual, name: not value} for name, value in ordinary.items()),
        *({**usual, "desk": desk} for desk in Desk if desk is not Desk.FRONT_LINE),
        *({**usual, "tie": tie} for tie in Tie if tie is not Tie.NONE),
    ]
    names = ("role", "actor", "purpose", "link", "tier", "risk")
    kinds = (Role, ActorKind, Purpose, Link, Tier, Risk)
    rare = [v for v in product(*kinds) if v[4] is Tier.STANDARD or v[5] is Risk.NONE]
    return [
        parse_facts({**dict(zip(names, values, strict=True)), **flags})
        for values in rare
        for flags in variants
    ]


def _tally(changes: tuple[Change, ...]) -> dict[tuple[str, str], int]:
    tally: dict[tuple[str, str], int] = {}
    for change in changes:
        for way, points in (("opens", change.opens), ("closes", change.closes)):
            for what in points:
                tally[way, what] = tally.get((way, what), 0) + 1
    return dict(sorted(tally.items()))


def _facts_in_words(facts: Facts) -> str:
    return ", ".join(f"{name}={value}" for name, value in facts.as_dict().items())


def _read_table(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"table `{path}` cannot be read: {error.strerror}") from None


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="policy")
