"""Detection replays: same events, same findings, nothing from the future."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.pipeline import Pipeline
from guard.clock import DAY
from guard.events import AccessEvent, FloorEvent, History
from guard.findings import Finding
from tests.scenarios.conftest import BEGIN, Replay

DAYS = 2


@pytest.fixture(scope="module", name="stretch")
def _stretch(breached: Replay) -> tuple[FloorEvent, ...]:
    return tuple(e for e in breached.history.events if e.ts < BEGIN + DAYS * DAY)


@pytest.fixture(scope="module", name="whole")
def _whole(stretch: tuple[FloorEvent, ...], warm_state: bytes) -> list[Finding]:
    return Pipeline.from_state(warm_state).replay(History(events=stretch))


def test_the_stretch_has_findings(whole: list[Finding]) -> None:
    assert len(whole) >= 3


def test_a_replay_is_deterministic(
    stretch: tuple[FloorEvent, ...], warm_state: bytes, whole: list[Finding]
) -> None:
    assert Pipeline.from_state(warm_state).replay(History(events=stretch)) == whole


def test_live_batches_with_restarts_find_what_one_replay_finds(
    stretch: tuple[FloorEvent, ...], warm_state: bytes, whole: list[Finding]
) -> None:
    rng = np.random.default_rng(4)
    pipeline, out, at = Pipeline.from_state(warm_state), [], 0
    while at < len(stretch):
        size = int(rng.integers(1, 3000))
        out += pipeline.step(stretch[at : at + size])
        at += size
        if rng.random() < 0.3:
            pipeline = Pipeline.from_state(pipeline.state())
    out += pipeline.step((), complete_to=stretch[-1].ts)
    assert out == whole


def test_the_order_in_the_file_does_not_matter(
    stretch: tuple[FloorEvent, ...], warm_state: bytes, whole: list[Finding]
) -> None:
    order = np.random.default_rng(5).permutation(len(stretch))
    shuffled = History(events=tuple(stretch[i] for i in order))
    assert Pipeline.from_state(warm_state).replay(shuffled) == whole


def test_another_future_changes_no_earlier_finding(
    stretch: tuple[FloorEvent, ...], warm_state: bytes, whole: list[Finding]
) -> None:
    edge = BEGIN + DAY
    rng = np.random.default_rng(6)
    future = [e for e in stretch if e.ts > edge and isinstance(e, AccessEvent)]
    agents = [e.agent_id for e in future]
    rng.shuffle(agents)
    other = [replace(e, agent_id=a) for e, a in zip(future, agents, strict=True)]
    changed = History(events=(*(e for e in stretch if e.ts <= edge), *other))
    found = Pipeline.from_state(warm_state).replay(changed)
    assert [f for f in found if f.raised_at <= edge] == [f for f in whole if f.raised_at <= edge]


def test_a_fitted_second_opinion_only_adds_outliers(
    stretch: tuple[FloorEvent, ...], warm_state: bytes, whole: list[Finding]
) -> None:
    key = b"s" * 32
    pipeline = Pipeline.from_state(warm_state)
    sealed = pipeline.fit_outliers(key)
    assert sealed is not None
    pipeline.use_outliers(sealed, key)
    found = pipeline.replay(History(events=stretch))
    assert [f for f in found if f.kind != "outlier"] == whole
