"""Runs every decision table of this folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from policies.bundle import load_bundle
from policies.engine import Engine
from policies.model import Act, ActorKind, Form, Link, Permit, Risk, Tier
from policies.tables import parse_table, run_table
from tests.support.policy_bundles import default_files, make_facts

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.toml"))
# Where the policy is enforced, who may ask for a reveal is refused before these speak: no table can
# reach them.
UNENFORCED: dict[str, dict[str, object]] = {
    "opens-for-people": {"actor": ActorKind.SERVICE},
    "opens-for-a-case": {"link": Link.NONE},
    "opens-with-a-reason": {"reason_given": False},
    "opens-below-mask-more": {"risk": Risk.MASK_MORE},
    "opens-at-home": {"same_region": False},
    "opens-protected-at-its-desk": {"tier": Tier.VIP},
}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_case_of_the_table_is_decided_as_it_says(path: Path) -> None:
    table = parse_table(path.read_bytes(), path.name)

    assert table.bundle == "default"
    assert [str(mismatch) for mismatch in run_table(table, default_files())] == []


def test_the_tables_reach_every_policy_that_ships() -> None:
    tables = [parse_table(path.read_bytes(), path.name) for path in FILES]
    shipped = {
        line.split('"')[1]
        for name, content in default_files().items()
        for line in content.decode().splitlines()
        if name.endswith(".cedar") and line.startswith("@id(")
    }

    expected = {one for table in tables for case in table.cases for one in case.determined_by}
    assert shipped - expected == set(UNENFORCED)


@pytest.mark.parametrize(("policy_id", "changes"), UNENFORCED.items(), ids=list(UNENFORCED))
def test_a_desk_that_is_not_enforced_yet_opens_nothing_else_by_a_reveal(
    policy_id: str, changes: dict[str, object]
) -> None:
    engine = Engine(load_bundle(default_files()))
    usual = make_facts(reason_given=True)
    opened = engine.forms(usual, Act.REVEAL)
    closed = engine.forms(replace(usual, **changes), Act.REVEAL)  # type: ignore[arg-type] # facts

    assert isinstance(opened, Permit)
    assert isinstance(closed, Permit)
    assert opened.forms["contact"] is Form.PLAIN
    assert set(closed.forms.values()) == {Form.HIDE}
    assert policy_id in closed.determined_by
