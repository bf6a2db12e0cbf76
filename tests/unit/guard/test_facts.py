import dataclasses
from typing import Any

import pytest

from guard.clock import HOUR
from guard.facts import Asked, bind_case, gather
from guard.principals import Shift
from guard.rows import KnownCase, Situation
from policies.model import ActorKind, Facts, Link, Mode, Purpose, Risk, Tier
from tests.support.makers import NOON, make_assignment, make_case, make_subject
from tests.support.rig import make_caller

SITUATION = Situation(
    subject=make_subject(),
    case=make_case(),
    assignments=(make_assignment(),),
    own_open_cases=(),
    work_list=None,
    risk=Risk.MASK_MORE,
    is_suspended=False,
    mode=Mode.ENFORCE,
)


def facts(situation: Situation = SITUATION, reason: str | None = None, **caller: Any) -> Facts:  # noqa: ANN401 - any field
    who = make_caller(**caller)
    return gather(who, situation, Purpose.SUPPORT_CASE, Asked(case="k1", reason=reason), NOON)


def test_facts_come_from_the_store_and_the_principal() -> None:
    found = facts()
    assert (found.link, found.risk, found.tier) == (Link.OWNER, Risk.MASK_MORE, Tier.STANDARD)
    assert (found.same_tenant, found.same_region, found.actor) == (True, True, ActorKind.HUMAN)


def test_an_unknown_customer_is_nobodys() -> None:
    found = facts(dataclasses.replace(SITUATION, subject=None))
    assert (found.same_tenant, found.same_region, found.link) == (False, False, Link.NONE)


def test_another_region_is_said() -> None:
    assert not facts(region="us").same_region


def test_an_acting_ai_agent_makes_the_actor_ai_and_its_own_case_counts() -> None:
    mine = dataclasses.replace(SITUATION, assignments=(make_assignment(agent_id="bot"),))
    found = facts(mine, actor="bot")
    assert (found.actor, found.link) == (ActorKind.AI, Link.OWNER)


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (HOUR, True), (HOUR + 1, False)])
def test_a_second_factor_is_fresh_for_an_hour(age: int, *, fresh: bool) -> None:
    assert facts(mfa_at=NOON - age).fresh_mfa is fresh


def test_a_reason_is_given_when_it_says_something() -> None:
    assert [facts(reason=r).reason_given for r in (None, "", "  ", "callback")] == [
        False,
        False,
        False,
        True,
    ]


def test_somebody_off_shift_is_off_shift() -> None:
    night = Shift(tz="UTC", start=22 * 60, end=6 * 60, days=frozenset(range(1, 8)))
    assert not facts(shift=night).on_shift
    assert facts(shift=None).on_shift


def test_an_unnamed_view_is_bound_to_the_own_case_and_a_named_one_stays_as_named() -> None:
    own = KnownCase(case=make_case(), assignments=(make_assignment(),))
    found = dataclasses.replace(SITUATION, case=None, assignments=(), own_cases=(own,))
    unnamed, named = Asked(case=None, reason=None), Asked(case="k9", reason=None)
    who, purpose = make_caller(), Purpose.SUPPORT_CASE
    assert gather(who, found, purpose, unnamed, NOON).link is Link.OWNER
    assert bind_case(who, found, purpose, unnamed, NOON) == "k1"
    assert bind_case(who, found, purpose, named, NOON) == "k9"
    bare = dataclasses.replace(found, own_cases=())
    assert bind_case(who, bare, purpose, unnamed, NOON) is None
