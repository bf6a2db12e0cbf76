"""The one interface of all channels, and the look that they judge."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from detectors.explanations import Explanation
from guard.events import AccessEvent


class Trial(IntEnum):
    """What a channel asks its question of, and so what its answers are counted against."""

    LOOK = 0
    SEARCH = 1
    VERIFICATION = 2


@dataclass(slots=True)
class Look:
    """One event as the channels see it.

    `is_weak` says that nothing strong explains it; `gap_s` is the time since the agent's previous
    look at a customer (None: the first of a working day); `on_shift` is None where no shift is
    known.
    """

    event: AccessEvent
    explanation: Explanation
    is_weak: bool
    on_shift: bool | None
    gap_s: float | None


class Channel(Protocol):
    """*Protocol* of a channel; `detectors.pipeline` calls it once per look.

    `prior` is the share of *yes* expected where nothing was learnt yet; `label` completes the
    sentence "3 of 31 views ..."; `remedy` says what would have explained the views; `trial`
    says what the channel judges; `is_linked` that a late
    link retracts its evidence.
    """

    @property
    def name(self) -> str:
        """Stable name, as findings show it."""
        ...

    @property
    def prior(self) -> float:
        """Share of *yes* on a floor of which nothing is known."""
        ...

    @property
    def label(self) -> str:
        """Completes "3 of 31 views ..."."""
        ...

    @property
    def remedy(self) -> str:
        """What would have explained the views, as a sentence."""
        ...

    @property
    def trial(self) -> Trial:
        """What it judges."""
        ...

    @property
    def is_linked(self) -> bool:
        """Whether a late link takes its evidence back."""
        ...

    def start(self) -> list[float]:
        """What is remembered of an agent who was never seen; a fixed number of floats."""
        ...

    def observe(self, memory: list[float], look: Look) -> bool:
        """Judge one look, and update `memory` in place."""
        ...
