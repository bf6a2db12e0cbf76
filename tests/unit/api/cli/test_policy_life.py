import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.cli import policy_life
from tests.contracts.guard.backtest.floor import BASE, STRICT, a_day, confirm
from tests.support.makers import TENANT
from tests.support.people import ANALYST, DIRECTORY, SECOND, put_people
from tests.support.rig import Rig, row_of
from tests.support.service import write_bundle
from tests.unit.api.cli.conftest import Fill, Guard
from tests.unit.api.fakes import FakeBacktests

AS = ("--tenant", TENANT)


async def people(rig: Rig) -> None:
    await put_people(rig)
    left = replace(row_of(ANALYST), id="left", is_active=False)
    await rig.directory.put(DIRECTORY, [left])


async def a_bad_day(rig: Rig) -> None:
    await a_day(rig)
    await confirm(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "views need a case")
    assert row.id.startswith("pol-")


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "strict", STRICT)


def test_a_policy_goes_its_way_by_two_people_and_back_by_one(
    guard: Guard, fill: Fill, strict: Path
) -> None:
    fill(people)
    said = guard("policy", "propose", strict, "--because", "x", "--as", "ana", *AS, "--json")
    policy = json.loads(said.out)["id"]
    assert "approved" in guard("policy", "approve", policy, "--as", "ben", *AS).out
    assert "is active" in guard("policy", "activate", policy, "--as", "ana", *AS).out
    back = guard("policy", "rollback", "--because", "desks stand still", "--as", "ben", *AS)
    assert "is active, a second person must review it" in back.out
    listed = guard("policy", "list", *AS).out.splitlines()
    assert sorted(line.split()[1] for line in listed) == ["active", "retired", "retired"]
    assert json.loads(guard("policy", "list", *AS, "--json").out)["policies"][0]["digest"]


def test_a_step_needs_somebody_active_and_a_reason(guard: Guard, fill: Fill, strict: Path) -> None:
    fill(people)
    assert guard("policy", "list", *AS).out == "no policy was ever proposed\n"
    nobody = guard("policy", "propose", strict, "--because", "x")
    assert (nobody.code, "--as" in nobody.err) == (65, True)
    for who in ("ghost", "left"):
        assert guard("policy", "approve", "pol-1", "--as", who, *AS).code == 65
    assert guard("policy", "propose", strict, "--because", "x", "--as", "a1", *AS).code == 77


def test_a_bundle_that_does_not_load_is_named_with_file_and_line(
    guard: Guard, tmp_path: Path
) -> None:
    broken = write_bundle(tmp_path / "broken", {**BASE, "small.cedar": b"permit(\n"})
    said = guard("policy", "propose", broken, "--because", "x", "--as", "ana")
    assert said.code == 78
    assert "small.cedar:1" in said.err


def test_a_backtest_of_a_folder_and_of_a_proposal_say_the_same(
    guard: Guard, fill: Fill, strict: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(a_bad_day)
    monkeypatch.setattr(policy_life, "PROGRESS_STEPS", 1)
    said = guard("policy", "backtest", strict, *AS)
    assert said.code == 0, said.err
    first, second, *rest = said.out.splitlines()
    assert first.startswith("this bundle would have stopped 5 of the 5 views behind confirmed")
    assert second.startswith("11 of 11 entries replayed on 3 different facts")
    assert "refused by no-link: 5" in rest
    assert "view: 11 requests, 5 newly refused, 0 newly allowed" in rest
    assert "entries" in said.err
    proposed = json.loads(guard("policy", "list", *AS, "--json").out)["policies"][0]["id"]
    document = json.loads(guard("policy", "backtest", proposed, *AS, "--json").out)
    assert document["sentence"] == first
    assert {team["team"] for team in document["teams"]} == {"team-1", "team-2", "team-9"}


def test_only_the_days_asked_for_are_replayed(guard: Guard, fill: Fill, strict: Path) -> None:
    fill(a_bad_day)
    for option, day, n in (("--until", "2020-01-01", 0), ("--since", "2020-01-01T00:00:00Z", 11)):
        said = guard("policy", "backtest", strict, option, day, *AS, "--json")
        assert json.loads(said.out)["entries"] == n
    assert guard("policy", "backtest", strict, "--since", "yesterday", *AS).code == 65
    assert SECOND.id == "ben"


@pytest.mark.anyio
async def test_a_report_says_how_many_requests_a_late_case_judged() -> None:
    report = await FakeBacktests().run(ANALYST, "pol-1", 0, 1)
    said = "2 judged by the link of a case that came late, and decided on what was known before it"
    assert said in policy_life.report_lines(report)
    assert not any("late" in line for line in policy_life.report_lines(replace(report, repaired=0)))
