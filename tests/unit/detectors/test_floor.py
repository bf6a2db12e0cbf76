from collections import Counter

import pytest

from detectors.floor import Customer, Floor, Habit, Insider, crm_rows, customer_key
from detectors.floor_actions import HONEST, View
from guard.clock import DAY
from guard.events import AccessEvent, AssignmentEvent, CaseEvent
from policies.model import Link
from tests.unit.detectors.making import MONDAY


@pytest.fixture(scope="module", name="floor")
def _floor() -> Floor:
    return Floor.build(7, MONDAY, customers=800, agents=36)


def test_a_floor_has_teams_leads_reviewers_outreach_and_an_ai(floor: Floor) -> None:
    assert len(floor.agents) == 36
    assert Counter(p.role for p in floor.agents)["lead"] == 3
    assert {p.team for p in floor.agents} >= {"outreach", "quality", "assistant", "team00"}
    assert [p.agent_id for p in floor.agents if p.kind == "ai"] == ["ai00"]
    assert len({p.agent_id for p in floor.agents}) == 36
    assert {p.vendor for p in floor.agents} == {"vendor0", "vendor1", "vendor2"}


def test_members_and_front_line(floor: Floor) -> None:
    front = floor.front_line()
    assert set(floor.members("lead00")) & set(front)
    assert all(a.startswith("a0") for a in front)


def test_a_day_is_the_same_whenever_it_is_asked(floor: Floor) -> None:
    assert floor.day(3) == Floor.build(7, MONDAY, customers=800, agents=36).day(3)
    assert floor.day(3) != floor.day(4)
    assert floor.day(3) != Floor.build(8, MONDAY, customers=800, agents=36).day(3)


def test_a_day_is_in_order_and_within_itself(floor: Floor) -> None:
    times = [a.at for a in floor.day(2)]
    assert times == sorted(times)
    assert times[0] >= MONDAY + 2 * DAY
    assert times[-1] < MONDAY + 3 * DAY


def test_insiders_leave_honest_work_as_it_was(floor: Floor) -> None:
    agent = floor.front_line()[0]
    breached = floor.with_insiders(Insider(habit=Habit.SLOW, agents=(agent,)))
    added = [a for a in breached.day(1) if isinstance(a, View) and a.truth != HONEST]
    honest = [a for a in breached.day(1) if a not in added]
    assert honest == floor.day(1)
    assert {a.agent_id for a in added} <= {agent}
    assert breached.truth() == {agent: Habit.SLOW}


def test_a_habit_shows_only_on_its_days(floor: Floor) -> None:
    insider = Insider(
        habit=Habit.SLOW, agents=tuple(floor.front_line()), from_day=2, until_day=3, per_day=3
    )
    breached = floor.with_insiders(insider)
    bad = [
        [a for a in breached.day(n) if isinstance(a, View) and a.truth != HONEST] for n in range(4)
    ]
    assert [bool(b) for b in bad] == [False, False, True, False]
    assert set(Counter(a.agent_id for a in bad[2]).values()) == {3}


def test_history_has_all_kinds_of_events_with_places_of_their_own(floor: Floor) -> None:
    history = floor.history(range(2))
    positions = [e.position for e in history.events]
    assert positions == sorted(set(positions))
    assert {type(e) for e in history.events} == {AccessEvent, CaseEvent, AssignmentEvent}
    assert history.profiles == floor.agents


def test_honest_work_is_mostly_but_not_always_explained(floor: Floor) -> None:
    events = [e for n in range(5) for e in floor.events(n) if isinstance(e, AccessEvent)]
    links = Counter(e.link for e in events)
    assert 0.005 < links[Link.NONE] / len(events) < 0.08
    assert links[Link.CAMPAIGN] > 0
    assert links[Link.QA] > 0
    assert links[Link.STALE] > 0


def test_a_full_floor_sees_four_to_seven_thousand_views_a_day() -> None:
    floor = Floor.build(1, MONDAY)
    views = [a for a in floor.day(0) if isinstance(a, View)]
    assert 4000 <= len(views) <= 7000


def test_protected_customers_are_few(floor: Floor) -> None:
    vips = [c for c in floor.customers if c.tier == "vip"]
    assert 0 < len(vips) < 40
    assert floor.customers[0] == Customer(1, floor.customers[0].tier)


def test_a_customer_number_has_one_spelling() -> None:
    assert customer_key(42) == "cust-000042"


def test_records_come_with_the_floor() -> None:
    assert [r["customer_id"] for r in crm_rows(1, 3)] == [1, 2, 3]


def test_a_small_floor_still_works() -> None:
    floor = Floor.build(3, MONDAY, customers=60, agents=6, vendors=1)
    assert floor.history(range(1)).events
