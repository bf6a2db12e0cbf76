"""Events in, findings out: the whole of detection behind four verbs.

`warm_up` learns what is normal from a finished stretch, `step` takes what is new, `state` and
`from_state` carry everything over a restart. Live feeding is small batches, replay is one large
one; both run `detectors.kernel`, so the same events give the same findings however they are cut.

Events of one timestamp are taken together and in a canonical order. So `step` keeps back the events
of its newest timestamp until a later one arrives, or until the caller says with `complete_to` that
nothing earlier is to come. Nothing here is random and nothing reads a clock.
"""

from collections.abc import Sequence

import msgspec

from detectors import baselines, calibration, cusum, outliers
from detectors.calibration import BUDGET
from detectors.errors import StateError
from detectors.kernel import Kernel
from detectors.state import STATE_VERSION, AgentState, Calibration, Clocks, FloorState, Today
from guard.clock import Micros
from guard.events import (
    AccessEvent,
    AssignmentEvent,
    CaseEvent,
    DisputeEvent,
    FloorEvent,
    History,
    LateLinkEvent,
    ProfileEvent,
    ReviewEvent,
)
from guard.findings import Finding

# What is opened comes before who uses it, what is closed after.
_KINDS: dict[str, type[FloorEvent]] = {
    "profile": ProfileEvent,
    "case": CaseEvent,
    "assignment": AssignmentEvent,
    "access": AccessEvent,
    "late": LateLinkEvent,
    "review": ReviewEvent,
    "dispute": DisputeEvent,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
FORMAT_V1 = b"\x01"


class Pipeline:
    """The detectors of one floor."""

    def __init__(self, *, budget: float = BUDGET) -> None:
        """Start knowing nothing; `budget` is the nominal false alerts per honest agent-day."""
        self._budget = budget
        self._kernel = Kernel(FloorState(), budget)

    @property
    def calibration(self) -> Calibration:
        """What scores are measured against; empty before a warm-up."""
        return self._kernel.floor.calibration

    @property
    def threshold(self) -> float:
        """The score from which a finding is raised."""
        return self._kernel.threshold

    def step(
        self, events: Sequence[FloorEvent], *, complete_to: Micros | None = None
    ) -> list[Finding]:
        """Take new events, in any order within the batch, and return what they raise.

        Events up to `complete_to` are taken; without it, all that are older than the newest.
        """
        floor = self._kernel.floor
        waiting = sorted([*map(_thaw, floor.held), *events], key=_order)
        if not waiting:
            return []
        edge = complete_to if complete_to is not None else waiting[-1].ts - 1
        ready = [e for e in waiting if e.ts <= edge]
        floor.held = [_freeze(e) for e in waiting[len(ready) :]]
        for event in ready:
            self._kernel.take(event)
        out, self._kernel.out = self._kernel.out, []
        return out

    def replay(self, history: History) -> list[Finding]:
        """Take a finished stretch to its end."""
        for profile in history.profiles:
            self._kernel.meet(profile)
        if not history.events:
            return []
        return self.step(history.events, complete_to=max(e.ts for e in history.events))

    def warm_up(self, history: History) -> None:
        """Learn rates and thresholds from a finished stretch, raising nothing.

        Three times through: for the rates; to see how far honest agents go under them; and how far
        honest groups go under the agents' calibration.
        """
        first = self._silent(FloorState(), history)
        second = self._silent(_anew(first.floor), history)
        again = _anew(second.floor)
        again.calibration = calibration.fit(second.honest_days or [])
        third = self._silent(again, history)
        third.floor.calibration.groups = calibration.fit_groups(third.honest_groups)
        kernel = Kernel(third.floor, self._budget)
        kernel.model = self._kernel.model
        self._kernel = kernel

    def fit_outliers(self, key: bytes) -> bytes | None:
        """Fit the second opinion on the days seen so far, sealed under `key`; None: too few days.

        Takes seconds; reads a copy of the rows, so it may run in a background thread while `step`
        goes on. Nothing changes until the result is handed to `use_outliers`.
        """
        model = outliers.fit(list(self._kernel.floor.rows)[-outliers.ROWS_KEPT :])
        return None if model is None else outliers.seal(model, key)

    def use_outliers(self, sealed: bytes, key: bytes) -> None:
        """Judge working days that end from now on by a fitted model.

        Raises:
            StateError: The bytes were not sealed by this key or in this version.
        """
        self._kernel.model = outliers.unseal(sealed, key)

    def state(self) -> bytes:
        """Everything but the outlier model, as version byte and msgpack."""
        return FORMAT_V1 + msgspec.msgpack.encode(self._kernel.floor)

    @classmethod
    def from_state(cls, state: bytes, *, budget: float = BUDGET) -> "Pipeline":
        """Continue from `state()`.

        Raises:
            StateError: The bytes are of another version or damaged.
        """
        try:
            floor = msgspec.msgpack.decode(state[1:], type=FloorState)
        except msgspec.DecodeError as error:
            raise StateError(_UNREADABLE) from error
        if state[:1] != FORMAT_V1 or floor.version != STATE_VERSION:
            raise StateError(_UNREADABLE)
        pipeline = cls(budget=budget)
        pipeline._kernel = Kernel(floor, budget)
        return pipeline

    def _silent(self, floor: FloorState, history: History) -> Kernel:
        kernel = Kernel(floor, self._budget)
        kernel.honest_days = []
        for profile in history.profiles:
            kernel.meet(profile)
        for event in sorted(history.events, key=_order):
            kernel.take(event)
        return kernel


def _anew(floor: FloorState) -> FloorState:
    """Keep what was learnt of rates, forget what happened."""
    fresh = FloorState(groups=floor.groups)
    for agent_id, old in floor.agents.items():
        state = AgentState(
            profile=old.profile,
            today=Today(),
            clocks=Clocks(),
            hits=old.hits,
            looks=old.looks,
            searches=old.searches,
            verifications=old.verifications,
        )
        cusum.start(state)
        baselines.refresh_agent(state, fresh.groups)
        cusum.set_steps(state)
        fresh.agents[agent_id] = state
    return fresh


_UNREADABLE = "the detector state has another version or is damaged, warm up again from the ledger"


def _order(event: FloorEvent) -> tuple[int, int, str, str, str, int]:
    match event:
        case AccessEvent():
            return (event.ts, 3, event.agent_id, event.customer_id, event.action, event.position)
        case CaseEvent():
            rank = 1 if event.is_open else 5
            return (event.ts, rank, event.case_id, event.customer_id, "", event.position)
        case AssignmentEvent():
            rank = 2 if event.is_start else 4
            return (event.ts, rank, event.case_id, event.agent_id, "", event.position)
        case LateLinkEvent():
            return (event.ts, 4, event.case_id, event.agent_id, "late", event.position)
        case ProfileEvent():
            return (event.ts, 0, event.profile.agent_id, "", "", event.position)
        case ReviewEvent() | DisputeEvent():
            if isinstance(event, ReviewEvent):
                by, what = event.by, event.what
            else:
                by, what = event.customer_id, "dispute"
            return (event.ts, 6, event.agent_id, by, what, event.position)


def _freeze(event: FloorEvent) -> bytes:
    return msgspec.msgpack.encode((_NAMES[type(event)], event))


def _thaw(frozen: bytes) -> FloorEvent:
    name, raw = msgspec.msgpack.decode(frozen, type=tuple[str, msgspec.Raw])
    return msgspec.msgpack.decode(raw, type=_KINDS[name])
