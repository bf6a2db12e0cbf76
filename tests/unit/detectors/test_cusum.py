import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import cusum
from detectors.state import AgentState, Clocks, Proof, Today
from guard.clock import MINUTE
from tests.unit.detectors.making import NINE, make_profile

FAST, SLOW = 0, 2


def _agent(rate: float = 0.02) -> AgentState:
    state = AgentState(profile=make_profile(), today=Today(day=1), clocks=Clocks())
    state.normal = [rate] * cusum.N
    state.peers = [rate] * cusum.N
    cusum.start(state)
    cusum.set_steps(state)
    return state


def _look(state: AgentState, *, yes: bool, at: int = NINE) -> None:
    state.clocks.trials[0] += 1
    cusum.step(state.clocks, int(yes), (0,), at)


def test_normal_work_stays_at_zero() -> None:
    state = _agent()
    for _ in range(100):
        _look(state, yes=False)
    assert cusum.value(state.clocks, FAST) == cusum.value(state.clocks, SLOW) == 0.0


def test_a_run_of_yes_climbs_on_the_fast_clock_without_a_cap() -> None:
    state = _agent()
    for _ in range(10):
        _look(state, yes=True)
    assert cusum.value(state.clocks, FAST) > 20


def test_one_day_adds_at_most_its_cap_on_the_slow_clock() -> None:
    state = _agent()
    for _ in range(50):
        _look(state, yes=True)
    assert cusum.value(state.clocks, SLOW) == cusum.DAY_CAP
    cusum.end_day(state.clocks)
    assert cusum.value(state.clocks, SLOW) == cusum.DAY_CAP


def test_a_daily_habit_adds_up_on_the_slow_clock() -> None:
    state = _agent()
    for _ in range(5):
        for i in range(40):
            _look(state, yes=i % 5 == 0)
        cusum.end_day(state.clocks)
    assert cusum.value(state.clocks, SLOW) == pytest.approx(5 * cusum.DAY_CAP)


def test_honest_days_bring_the_slow_clock_back() -> None:
    state = _agent()
    for _ in range(20):
        _look(state, yes=True)
    cusum.end_day(state.clocks)
    for _ in range(5):
        for _ in range(40):
            _look(state, yes=False)
        cusum.end_day(state.clocks)
    assert cusum.value(state.clocks, SLOW) == 0.0


def test_since_is_when_a_statistic_last_left_zero() -> None:
    state = _agent()
    _look(state, yes=True, at=NINE)
    _look(state, yes=True, at=NINE + MINUTE)
    assert state.clocks.since[FAST] == state.clocks.since[SLOW] == NINE


def test_the_ceiling_holds() -> None:
    state = _agent()
    for _ in range(1000):
        _look(state, yes=True)
    assert cusum.value(state.clocks, FAST) == cusum.CEILING


@given(st.floats(0.003, 0.98))
def test_a_yes_never_speaks_for_and_a_no_never_against_an_agent(rate: float) -> None:
    clocks = _agent(rate).clocks
    assert all(up > 0 for up in clocks.up)
    assert all(down < 0 for down in clocks.down)


def test_where_yes_is_normal_it_says_little() -> None:
    assert _agent(0.95).clocks.up[FAST] < 0.05
    assert _agent(0.02).clocks.up[FAST] > 2


def _proof(state: AgentState, *, day: int) -> Proof:
    gains = cusum.gains(state, 1, 0.0)
    return Proof(ts=NINE, position=0, customer="c", mask=1, day=day, gains=gains)


def test_a_late_link_undoes_todays_yes() -> None:
    state = _agent()
    for _ in range(3):
        _look(state, yes=True)
    before = list(state.clocks.today), cusum.value(state.clocks, FAST)
    _look(state, yes=True)
    cusum.retract(state.clocks, _proof(state, day=1), 1, today=1)
    assert state.clocks.today == pytest.approx(before[0])
    down = state.clocks.down[FAST]
    assert cusum.value(state.clocks, FAST) == pytest.approx(before[1] + down)


def test_a_late_link_undoes_yesterdays_yes_within_the_cap() -> None:
    state = _agent()
    _look(state, yes=True)
    proof = _proof(state, day=1)
    cusum.end_day(state.clocks)
    raised = cusum.value(state.clocks, SLOW)
    cusum.retract(state.clocks, proof, 1, today=2)
    assert cusum.value(state.clocks, SLOW) == 0.0 < raised


def test_weather_that_explains_all_takes_all_off() -> None:
    state = _agent()
    _look(state, yes=True)
    cusum.spare(state, 1, 1.0)
    assert cusum.value(state.clocks, FAST) == pytest.approx(0.0)
    assert cusum.value(state.clocks, SLOW) == pytest.approx(0.0)
    assert cusum.gains(state, 1, 1.0)[FAST] == pytest.approx(-state.clocks.down[FAST])


def test_weather_that_explains_some_takes_some_off() -> None:
    state = _agent()
    _look(state, yes=True)
    before = cusum.value(state.clocks, FAST)
    cusum.spare(state, 1, 0.1)
    assert 0.0 < cusum.value(state.clocks, FAST) < before


def test_fair_weather_and_channels_without_links_are_spared_nothing() -> None:
    state = _agent()
    unlinked = 1 << cusum.LINKED.index(False)
    for mask, share in ((1, 0.01), (unlinked, 1.0)):
        before = list(state.clocks.today)
        cusum.spare(state, mask, share)
        assert state.clocks.today == before


def test_statistics_of_a_mask_are_four_per_channel() -> None:
    assert cusum.stats_of(0b101) == [0, 1, 2, 3, 8, 9, 10, 11]
