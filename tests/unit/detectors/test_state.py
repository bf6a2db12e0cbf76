import msgspec

from detectors import cusum
from detectors.channels import CHANNELS
from detectors.state import AgentState, Clocks, DayLog, Episode, FloorState, Proof, Tail, Today
from tests.unit.detectors.making import make_profile


def test_a_whole_floor_survives_storage() -> None:
    state = AgentState(profile=make_profile(), today=Today(day=3, peaks={4: 1.5}), clocks=Clocks())
    cusum.start(state)
    state.episode = Episode(7.25, 2)
    state.days = [DayLog(1, 2, 3, 4, [5], 6.0)]
    state.proofs = [Proof(ts=1, position=2, customer="c", mask=3, day=4, gains=[0.1])]
    floor = FloorState(agents={"ann": state}, pairs={"a\nb": [1, 2]})
    floor.calibration.stats = [Tail(1.0, 0.1, 2.0)]
    stored = msgspec.msgpack.encode(floor)
    assert msgspec.msgpack.decode(stored, type=FloorState) == floor


def test_agents_share_no_memory() -> None:
    one, two = (
        AgentState(profile=make_profile(a), today=Today(), clocks=Clocks()) for a in ("a", "b")
    )
    one.hits[0], one.today.hits[0] = 1.0, 1
    one.memories[1][0] = 9.0
    one.today.seen["c"] = 0.0
    assert (two.hits[0], two.today.hits[0], two.today.seen) == (0.0, 0, {})
    assert two.memories[1] == CHANNELS[1].start()
