import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from policies.model import Role
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard


async def a_day(rig: Rig) -> None:
    agent, auditor = make_caller("a1"), make_caller("aud", role=Role.AUDITOR)
    await rig.directory.put(make_caller("desk"), [row_of(agent), row_of(auditor)])
    for ref in await rig.customers(3):
        await rig.broker.view(agent, rig.asks(ref, await rig.case(ref)))


def test_an_empty_log_holds(guard: Guard, data_dir: Path) -> None:
    assert data_dir.is_dir()
    said = guard("verify")
    assert said.code == 0
    assert "verified 0 entries" in said.out
    assert "no checkpoint yet" in said.out


def test_a_log_without_tables_says_what_to_run(guard: Guard, tmp_path: Path) -> None:
    said = guard("verify", "--data-dir", tmp_path / "none")
    assert said.code == 78
    assert "guard migrate" in said.err


def test_a_day_holds_down_to_its_parts(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    verdict = json.loads(guard("verify", "--json").out)
    assert verdict["size"] == verdict["opened"] > 8


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entry SET leaf = zeroblob(90) WHERE idx = 4",
        "DELETE FROM entry WHERE idx = 4",
    ],
)
def test_the_first_bad_entry_is_named(
    guard: Guard, fill: Fill, data_dir: Path, damage: str
) -> None:
    fill(a_day)
    with closing(sqlite3.connect(data_dir / "ledger.db")) as file, file:
        file.execute(damage)
    said = guard("verify")
    assert said.code == 1
    assert "entry 4" in said.err
