from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.errors import StateError
from detectors.pipeline import Pipeline
from guard.clock import HOUR
from guard.events import FloorEvent, History, ProfileEvent, ReviewEvent
from guard.findings import Finding
from policies.model import Link
from tests.unit.detectors.making import (
    NINE,
    day_of_looks,
    make_assignment,
    make_case,
    make_event,
    make_profile,
)

KEY = b"k" * 32


def _stretch(days: int = 6) -> list[FloorEvent]:
    out: list[FloorEvent] = [ProfileEvent(position=0, ts=NINE, profile=make_profile("ann"))]
    for day in range(days):
        for i, agent in enumerate(("ann", "bob", "cyd")):
            bad = 12 if (agent, day) == ("bob", days - 1) else 1
            out += day_of_looks(30, agent_id=agent, day=day, unexplained=bad, minutes=11 + i)
    out += [make_case(ts=NINE), make_assignment(ts=NINE)]
    out.append(ReviewEvent(position=1, ts=NINE + HOUR, agent_id="ann", by="eve", what="dismissed"))
    return sorted(out, key=lambda e: e.ts)


STRETCH = _stretch()
END = STRETCH[-1].ts


def _whole() -> list[Finding]:
    return Pipeline().step(STRETCH, complete_to=END)


def test_the_stretch_has_something_to_find() -> None:
    assert {f.key for f in _whole()} == {"agent:bob"}


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.integers(0, len(STRETCH)), max_size=12))
def test_batches_do_not_matter(cuts: list[int]) -> None:
    pipeline, out = Pipeline(), []
    edges = [0, *sorted(cuts), len(STRETCH)]
    for begin, end in pairwise(edges):
        out += pipeline.step(STRETCH[begin:end])
    out += pipeline.step((), complete_to=END)
    assert out == _whole()


def test_a_restart_between_any_batches_does_not_matter() -> None:
    pipeline, out = Pipeline(), []
    for begin in range(0, len(STRETCH), 97):
        out += pipeline.step(STRETCH[begin : begin + 97])
        pipeline = Pipeline.from_state(pipeline.state())
    out += pipeline.step((), complete_to=END)
    assert out == _whole()


def test_the_order_of_equal_timestamps_does_not_matter() -> None:
    flat = [replace(e, ts=NINE + (e.ts - NINE) // HOUR * HOUR) for e in STRETCH]
    there = Pipeline().step(flat, complete_to=END)
    back = Pipeline().step(flat[::-1], complete_to=END)
    assert there == back


def test_the_newest_timestamp_waits_until_it_is_complete() -> None:
    pipeline = Pipeline()
    decoy = replace(make_event(link=Link.OWNER), is_decoy=True)
    assert pipeline.step([decoy]) == []
    assert len(pipeline.step((), complete_to=NINE)) == 1


def test_what_waits_survives_a_restart() -> None:
    pipeline = Pipeline()
    pipeline.step([replace(make_event(link=Link.OWNER), is_decoy=True, walk=(3, -1))])
    again = Pipeline.from_state(pipeline.state())
    assert len(again.step((), complete_to=NINE)) == 1


def test_nothing_in_nothing_out() -> None:
    pipeline = Pipeline()
    assert pipeline.step(()) == []
    assert pipeline.step((), complete_to=NINE) == []
    assert pipeline.replay(History(events=())) == []


def test_a_warm_up_raises_nothing_and_calibrates() -> None:
    pipeline = Pipeline()
    pipeline.warm_up(History(events=tuple(STRETCH), profiles=(make_profile("zoe"),)))
    assert pipeline.calibration.agent_days == 15
    assert len(pipeline.calibration.stats) > 0


def test_a_warm_up_is_deterministic() -> None:
    one, two = Pipeline(), Pipeline()
    for pipeline in (one, two):
        pipeline.warm_up(History(events=tuple(STRETCH)))
    assert one.state() == two.state()


def test_replay_takes_profiles_first() -> None:
    history = History(events=tuple(STRETCH), profiles=(make_profile("bob", team="night"),))
    assert [f.key for f in Pipeline().replay(history)][:1] == ["agent:bob"]


@pytest.mark.parametrize(
    "state",
    [b"", b"\x01", b"\x02" + msgspec.msgpack.encode({}), b"\x01garbage", b"\x01\x80\x80"],
)
def test_states_that_cannot_be_read_are_refused(state: bytes) -> None:
    with pytest.raises(StateError, match="warm up again"):
        Pipeline.from_state(state)


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(StateError, match="warm up again"):
        Pipeline.from_state(b"\x01" + msgspec.msgpack.encode({"version": 99}))


def test_outliers_need_days_enough() -> None:
    pipeline = Pipeline()
    pipeline.step(STRETCH, complete_to=END)
    assert pipeline.fit_outliers(KEY) is None


def test_a_model_of_another_key_is_refused() -> None:
    with pytest.raises(StateError, match="fit it anew"):
        Pipeline().use_outliers(b"\x01" + bytes(80), KEY)


def test_a_higher_budget_has_a_lower_line() -> None:
    assert Pipeline(budget=1 / 100).threshold < Pipeline().threshold
