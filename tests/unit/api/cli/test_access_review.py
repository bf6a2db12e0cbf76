import json

from guard.clock import DAY, to_rfc3339
from tests.contracts.guard.backtest.floor import STRICT
from tests.support.makers import NOON, TENANT
from tests.support.people import AGENT, ANALYST, SECOND, put_people
from tests.support.rig import Rig
from tests.unit.api.cli.conftest import Fill, Guard

TODAY, TOMORROW = to_rfc3339(NOON)[:10], to_rfc3339(NOON + DAY)[:10]
ASK = ("access-review", "--field", "email", "--tenant", TENANT)


async def a_new_policy(rig: Rig) -> None:
    await put_people(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "x")
    await rig.activations.approve(SECOND, row.id)
    await rig.activations.activate(ANALYST, row.id)


def test_who_could_see_a_field_is_said_by_group_and_named_on_request(
    guard: Guard, fill: Fill
) -> None:
    fill(a_new_policy)
    said = guard(*ASK, "--on", TOMORROW)
    assert said.code == 0, said.err
    head, first, *_ = said.out.splitlines()
    assert head.startswith("`email` (class contact)")
    assert "0 in form plain, 1 in form mask, 3 not at all" in head
    assert first.startswith("mask       1  agent, front_line, human, team team-1 (view for")
    assert "by let-in, show-contact" in first
    assert AGENT.id not in first
    named = guard(*ASK, "--on", TOMORROW, "--names").out.splitlines()[1]
    assert named.endswith(": a1")


def test_the_document_says_what_the_words_say(guard: Guard, fill: Fill) -> None:
    fill(a_new_policy)
    document = json.loads(guard(*ASK, "--on", TOMORROW, "--json", "--names").out)
    assert document["class"] == "contact"
    assert document["policy_known_from"].startswith("activation pol-")
    assert document["groups"][0]["names"] == ["a1"]
    assert document["missing"] == []


def test_what_is_not_known_is_said(guard: Guard, fill: Fill) -> None:
    fill(a_new_policy)
    assert guard(*ASK, "--on", "1999-01-01").code == 65
    assert guard(*ASK, "--on", "").code == 65
    lost = guard("access-review", "--field", "shoe_size", "--on", TOMORROW, "--tenant", TENANT)
    assert (lost.code, "nobody could see it" in lost.err) == (65, True)
