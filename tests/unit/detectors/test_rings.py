from dataclasses import replace

import pytest

from detectors import cusum, rings
from detectors.state import AgentState, Clocks, DayLog, FloorState, Today
from guard.clock import DAY
from tests.unit.detectors.making import NINE, make_profile

TODAY = NINE // DAY


def _floor(scores: dict[str, float], *, lead: str = "lea") -> FloorState:
    floor = FloorState(now=NINE)
    for agent_id, score in scores.items():
        state = AgentState(
            profile=make_profile(agent_id, lead=lead), today=Today(day=TODAY), clocks=Clocks()
        )
        state.today.score = score
        cusum.start(state)
        floor.agents[agent_id] = state
    return floor


def _team(**loud: float) -> dict[str, float]:
    return {f"a{i}": 0.5 for i in range(10)} | loud


def _judge(floor: FloorState) -> rings.Ring | None:
    groups = rings.groups_of(floor)
    assert len(groups) == 1
    ((key, members),) = groups.items()
    return rings.judge(floor, key, members)


def test_an_ordinary_team_is_no_ring() -> None:
    assert _judge(_floor(_team())) is None


def test_one_loud_agent_is_no_ring() -> None:
    assert _judge(_floor(_team(bad=80.0))) is None


def test_three_under_one_lead_are_named_together_with_the_hub() -> None:
    ring = _judge(_floor(_team(x=6.0, y=6.5, z=5.5)))
    assert ring is not None
    assert (ring.members, ring.hub, ring.size) == (("x", "y", "z"), "lea", 13)
    assert ring.statistic > 6.9


def test_more_members_are_less_likely_by_chance() -> None:
    two, three = _judge(_floor(_team(x=6.0, y=6.0))), _judge(_floor(_team(x=6.0, y=6.0, z=6.0)))
    assert two is not None
    assert three is not None
    assert three.statistic > two.statistic


def test_the_loudest_member_counts_no_more_than_the_next() -> None:
    some, more = _judge(_floor(_team(x=4.0, y=4.0))), _judge(_floor(_team(x=99.0, y=4.0)))
    assert some == more


def test_one_loud_agent_and_a_colleagues_bad_day_are_far_below_the_line() -> None:
    ring = _judge(_floor(_team(x=99.0, y=3.6)))
    assert ring is not None
    assert ring.statistic < 3


def test_shared_customers_without_a_reason_add_to_it() -> None:
    apart, together = _floor(_team(x=5.0, y=5.0)), _floor(_team(x=5.0, y=5.0))
    for i in range(6):
        rings.note_weak_view(together, f"c{i}", "x", NINE - 2)
        rings.note_weak_view(together, f"c{i}", "y", NINE - 1)
        rings.note_weak_view(apart, f"c{i}", "x", NINE - 2)
        rings.note_weak_view(apart, f"d{i}", "y", NINE - 1)
    without, with_shared = _judge(apart), _judge(together)
    assert without is not None
    assert with_shared is not None
    assert (without.shared, with_shared.shared) == (0, 6)
    assert with_shared.statistic >= without.statistic


def test_the_worst_day_of_the_week_counts_and_older_ones_do_not() -> None:
    state = _floor({"x": 0.0}).agents["x"]
    state.days = [DayLog(TODAY - 3, 30, 0, 0, [], 6.0), DayLog(TODAY - 9, 30, 0, 0, [], 60.0)]
    assert 5.0 < rings.recent_score(state, NINE) < 6.0
    state.today.day = 0
    state.days = []
    assert rings.recent_score(state, NINE) == 0.0


def test_agents_without_a_line_are_grouped_by_team_and_machines_not_at_all() -> None:
    floor = _floor({"x": 0.0, "y": 0.0, "bot": 0.0})
    floor.agents["x"].profile = replace(make_profile("x"), manager_id=None)
    floor.agents["bot"].profile = replace(make_profile("bot"), kind="ai")
    assert rings.groups_of(floor) == {"team:v1/t1": ["x"], "line:lea": ["y"]}


def test_a_lead_who_views_is_a_member_of_the_own_line() -> None:
    floor = _floor({"x": 6.0, "y": 6.0})
    floor.agents |= _floor({"lea": 6.0}, lead="boss").agents
    assert rings.groups_of(floor)["line:lea"] == ["x", "y", "lea"]


def test_a_team_without_a_lead_has_the_best_connected_member_as_hub() -> None:
    floor = _floor({"x": 6.0, "y": 6.0, "z": 6.0})
    for state in floor.agents.values():
        state.profile = replace(state.profile, manager_id=None)
    for customer, agent in (("c1", "y"), ("c1", "x"), ("c2", "y"), ("c2", "z")):
        rings.note_weak_view(floor, customer, agent, NINE)
    ring = rings.judge(floor, "team:v1/t1", ["x", "y", "z"])
    assert ring is not None
    assert ring.hub == "y"


def test_a_customer_in_the_news_makes_no_endless_pairs() -> None:
    floor = _floor({})
    for i in range(100):
        rings.note_weak_view(floor, "star", f"a{i}", NINE)
    assert len(floor.sharing["star"]) == rings.VIEWERS_KEPT


def test_what_is_older_than_a_week_is_forgotten() -> None:
    floor = _floor({})
    rings.note_weak_view(floor, "c", "x", NINE)
    rings.note_weak_view(floor, "c", "y", NINE)
    floor.now = NINE + 8 * DAY
    rings.forget(floor)
    assert (floor.sharing, floor.pairs) == ({}, {})


@pytest.mark.parametrize("again", [NINE, NINE + DAY])
def test_one_agent_alone_shares_nothing(again: int) -> None:
    floor = _floor({})
    rings.note_weak_view(floor, "c", "x", NINE)
    rings.note_weak_view(floor, "c", "x", again)
    assert floor.pairs == {}
