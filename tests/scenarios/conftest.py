"""One floor, warmed up once: ten honest days to learn from, ten to be judged.

The breached twin has the same honest work and, from the first judged day on, a photographer, one
with a small habit, and a ring of three under one lead.
"""

from dataclasses import dataclass

import pytest

from detectors.floor import Floor, Habit, Insider
from detectors.floor_actions import HONEST, View
from detectors.pipeline import Pipeline
from guard.clock import DAY, Micros, from_rfc3339
from guard.events import History
from guard.findings import Finding

START = from_rfc3339("2026-03-02T00:00:00Z")
WARM, LIVE = range(10), range(10, 20)
BEGIN = START + LIVE.start * DAY
RING_LEAD = "lead02"


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A replayed stretch, and the floor that it came from; `looks` are the insiders' own."""

    floor: Floor
    looks: tuple[View, ...]
    history: History
    findings: tuple[Finding, ...]

    def first(self, agent: str) -> Finding:
        """The first finding about an agent."""
        return next(f for f in self.findings if f.key == f"agent:{agent}")

    def bad_looks(self, agent: str) -> list[Micros]:
        """When an insider looked at a customer beside the honest work."""
        return [v.at for v in self.looks if v.agent_id == agent]


@pytest.fixture(scope="session", name="floor")
def _floor() -> Floor:
    return Floor.build(7, START)


@pytest.fixture(scope="session", name="warm_state")
def _warm_state(floor: Floor) -> bytes:
    pipeline = Pipeline()
    pipeline.warm_up(floor.history(WARM))
    return pipeline.state()


def _replay(floor: Floor, state: bytes) -> Replay:
    history = floor.history(LIVE)
    findings = Pipeline.from_state(state).replay(history)
    bad = set(floor.truth())
    planned = (a for n in LIVE for a in floor.day(n)) if bad else ()
    looks = tuple(a for a in planned if isinstance(a, View) and a.truth != HONEST)
    return Replay(floor=floor, history=history, findings=tuple(findings), looks=looks)


@pytest.fixture(scope="session", name="honest")
def _honest(floor: Floor, warm_state: bytes) -> Replay:
    return _replay(floor, warm_state)


@pytest.fixture(scope="session", name="insiders")
def _insiders(floor: Floor) -> dict[Habit, tuple[str, ...]]:
    front = floor.front_line()
    ring = tuple(a for a in floor.members(RING_LEAD) if a in front)[:3]
    apart = [a for a in front if a not in floor.members(RING_LEAD)]
    return {
        Habit.PHOTOGRAPHER: (apart[3],),
        Habit.SLOW: (apart[40],),
        Habit.RING: ring,
    }


@pytest.fixture(scope="session", name="breached")
def _breached(floor: Floor, insiders: dict[Habit, tuple[str, ...]], warm_state: bytes) -> Replay:
    planned = (
        Insider(habit=habit, agents=agents, from_day=LIVE.start)
        for habit, agents in insiders.items()
    )
    return _replay(floor.with_insiders(*planned), warm_state)
