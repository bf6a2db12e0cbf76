from collections.abc import Callable

import numpy as np
import pytest

from detectors import floor_work
from detectors.floor_actions import Assigned, CaseClosed, CaseOpened, Transferred, View
from detectors.floor_work import DayPlan, Outage, Trait
from guard.clock import DAY, HOUR
from guard.events import AgentProfile
from policies.model import Link, Purpose
from tests.unit.detectors.making import MONDAY, NINE

TRAIT = Trait(pace=1.0, slips=0.05, free=(5, 6))
PEOPLE = {
    a: AgentProfile(agent_id=a, vendor="v1", manager_id=None if a == "lea" else "lea")
    for a in ("ann", "bob", "cyd", "lea", "ai00")
}


def _plan(seed: int = 1, *, outage: Outage | None = None) -> DayPlan:
    return DayPlan(
        day=0,
        midnight=MONDAY,
        customers=500,
        rng=np.random.default_rng(seed),
        shifts=dict.fromkeys(PEOPLE, (NINE, NINE + 8 * HOUR)),
        people=PEOPLE,
        fronts=["ann", "bob", "cyd"],
        outage=outage,
    )


def _views(plan: DayPlan, agent: str = "ann") -> list[View]:
    return [a for a in plan.actions if isinstance(a, View) and a.agent_id == agent]


def test_a_front_line_day_is_about_thirty_five_customers() -> None:
    counts = []
    for seed in range(20):
        plan = _plan(seed)
        floor_work.work_queue(plan, "ann", TRAIT)
        counts.append(len({v.customer for v in _views(plan)}))
    assert 28 < np.mean(counts) < 48


def test_every_case_is_opened_assigned_and_closed() -> None:
    plan = _plan()
    floor_work.work_queue(plan, "ann", TRAIT)
    by_kind = {
        kind: {a.case_id for a in plan.actions if isinstance(a, kind)}
        for kind in (CaseOpened, Assigned, CaseClosed)
    }
    assert by_kind[CaseOpened] == by_kind[Assigned] == by_kind[CaseClosed]


def test_some_cases_move_on() -> None:
    plan = _plan()
    for agent in ("ann", "bob", "cyd"):
        floor_work.work_queue(plan, agent, TRAIT)
    assert any(isinstance(a, Transferred) for a in plan.actions)
    assert any(v.link is Link.ESCALATION for v in _views(plan, "lea"))


def test_in_an_outage_views_come_first_and_links_afterwards() -> None:
    outage = Outage("v1", NINE, NINE + 3 * HOUR)
    plan = _plan(outage=outage)
    floor_work.work_queue(plan, "ann", TRAIT)
    during = [v for v in _views(plan) if v.at < outage.end and v.link is Link.NONE]
    opened = {a.customer: a.at for a in plan.actions if isinstance(a, CaseOpened)}
    assert len(during) > 8
    assert sum(opened.get(v.customer, 0) > outage.end for v in during) > 0.8 * len(during)


def test_another_vendors_outage_changes_nothing() -> None:
    there, here = _plan(outage=Outage("v2", NINE, NINE + 3 * HOUR)), _plan()
    for plan in (there, here):
        floor_work.work_queue(plan, "ann", TRAIT)
    assert there.actions == here.actions


def test_outreach_follows_a_list_with_its_purpose() -> None:
    plan = _plan()
    floor_work.work_list(plan, "ann", TRAIT)
    listed = [v for v in _views(plan) if v.link is Link.CAMPAIGN]
    assert len(listed) > 70
    assert {v.purpose for v in listed} == {Purpose.OUTREACH}


def test_reviewers_see_what_others_closed() -> None:
    plan = _plan()
    floor_work.work_queue(plan, "bob", TRAIT)
    floor_work.review(plan, "ann", TRAIT)
    reviewed = [v for v in _views(plan) if v.link is Link.QA]
    closed = {a.case_id: a.at for a in plan.actions if isinstance(a, CaseClosed)}
    assert reviewed
    assert all(v.case_id is not None and closed[v.case_id] < v.at for v in reviewed)


def test_with_nothing_closed_there_is_nothing_to_review() -> None:
    plan = _plan()
    floor_work.review(plan, "ann", TRAIT)
    assert plan.actions == []


def test_an_ai_agent_works_twenty_times_a_humans_volume_on_own_cases() -> None:
    plan = _plan()
    floor_work.chat(plan, "ai00", TRAIT)
    views = _views(plan, "ai00")
    assert 600 < len(views) < 800
    assert {v.purpose for v in views} == {Purpose.AI_SESSION}


@pytest.mark.parametrize("seed", range(5))
def test_shifts_stay_within_the_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        begin, end = floor_work.shift_of(PEOPLE["ann"], 15 * 60, MONDAY, rng)
        assert MONDAY <= begin < end < MONDAY + DAY


def test_outages_come_on_some_days_only() -> None:
    rng = np.random.default_rng(1)
    out = [floor_work.outage_of(list(PEOPLE.values()), MONDAY, rng) for _ in range(300)]
    assert 10 < sum(o is not None for o in out) < 60


@pytest.mark.parametrize("work", [floor_work.work_queue, floor_work.work_list, floor_work.chat])
def test_work_is_seeded(work: Callable[[DayPlan, str, Trait], None]) -> None:
    one, two = _plan(), _plan()
    work(one, "ai00", TRAIT)
    work(two, "ai00", TRAIT)
    assert one.actions == two.actions
