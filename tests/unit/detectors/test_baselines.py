import pytest

from detectors import baselines, cusum
from detectors.channels import Trial
from detectors.state import AgentState, Clocks, Episode, FloorState, Today
from guard.events import AgentProfile
from tests.unit.detectors.making import make_profile


def _agent(
    agent_id: str, rate: float, *, looks: float = 500.0, profile: AgentProfile | None = None
) -> AgentState:
    state = AgentState(profile=profile or make_profile(agent_id), today=Today(), clocks=Clocks())
    state.looks = looks
    state.hits = [rate * looks] * baselines.N
    cusum.start(state)
    baselines.refresh_agent(state, {})
    return state


def _floor(*agents: AgentState) -> FloorState:
    floor = FloorState(agents={a.profile.agent_id: a for a in agents})
    baselines.refresh_groups(floor)
    return floor


def test_groups_go_from_team_to_floor() -> None:
    keys = baselines.group_keys(make_profile())
    assert keys == ("team|human/agent|v1|t1", "vendor|human/agent|v1", "role|human/agent", "floor")


def test_an_unknown_agent_has_the_channels_priors() -> None:
    state = _agent("new", 0.0, looks=0.0)
    assert state.normal[0] == state.peers[0] == pytest.approx(baselines.PRIORS[0])


def test_a_new_hire_has_its_teams_rates() -> None:
    floor = _floor(*(_agent(f"a{i}", 0.10) for i in range(10)))
    new = _agent("new", 0.0, looks=0.0)
    baselines.refresh_agent(new, floor.groups)
    assert new.peers[0] == pytest.approx(0.10, abs=0.01)


def test_a_new_team_has_its_vendors_rates() -> None:
    floor = _floor(*(_agent(f"a{i}", 0.10) for i in range(10)))
    new = _agent("new", 0.0, looks=0.0, profile=make_profile("new", team="t9"))
    baselines.refresh_agent(new, floor.groups)
    assert new.peers[0] == pytest.approx(0.10, abs=0.02)


def test_nobody_earns_a_licence_by_behaving_badly_for_long() -> None:
    good = [_agent(f"a{i}", 0.02) for i in range(10)]
    bad = _agent("bad", 0.40, looks=5000.0)
    floor = _floor(*good, bad)
    baselines.refresh_agent(bad, floor.groups)
    assert bad.normal[0] < 0.06


def test_a_few_bad_members_do_not_move_the_teams_rate() -> None:
    good = [_agent(f"a{i}", 0.02) for i in range(9)]
    bad = [_agent(f"b{i}", 0.30) for i in range(3)]
    assert _floor(*good, *bad).groups["team|human/agent|v1|t1"].rates[0] < 0.045


def test_a_team_with_another_kind_of_work_has_another_normal() -> None:
    floor = _floor(
        *(_agent(f"a{i}", 0.02) for i in range(10)),
        *(_agent(f"o{i}", 0.60, profile=make_profile(f"o{i}", team="out")) for i in range(6)),
    )
    assert floor.groups["team|human/agent|v1|out"].rates[0] > 0.4
    assert floor.groups["team|human/agent|v1|t1"].rates[0] < 0.05


def test_a_day_of_an_open_matter_teaches_nothing() -> None:
    state = _agent("ann", 0.02)
    before = list(state.hits), state.looks
    state.today.looks, state.today.hits = 40, [30] * baselines.N
    state.episode = Episode(9.0, 1)
    baselines.learn_day(state)
    assert (state.hits, state.looks) == before


def test_one_bad_day_teaches_little() -> None:
    state = _agent("ann", 0.02)
    state.today.looks, state.today.hits = 40, [40] * baselines.N
    baselines.learn_day(state)
    assert state.hits[0] <= 0.02 * 500 + baselines.LESSON * state.peers[0] * 40 + 1


def test_searches_are_counted_against_searches() -> None:
    state = _agent("ann", 0.0, looks=0.0)
    miss = baselines.TRIALS.index(Trial.SEARCH)
    state.today.searches, state.today.hits[miss] = 10, 1
    baselines.learn_day(state)
    assert (state.searches, state.looks, state.hits[miss]) == (10, 0, 1)


def test_rates_stay_between_floor_and_ceiling() -> None:
    floor = _floor(*(_agent(f"a{i}", 1.0, looks=1e6) for i in range(6)))
    state = floor.agents["a0"]
    baselines.refresh_agent(state, floor.groups)
    assert state.normal[0] == baselines.RATE_CEILING
    never = _floor(*(_agent(f"a{i}", 0.0, looks=1e6) for i in range(6))).agents["a0"]
    baselines.refresh_agent(never, _floor(never).groups)
    assert never.normal[0] == baselines.RATE_FLOOR
