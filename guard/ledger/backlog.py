"""How far the tree is behind what is durable, and when that is too far.

What is pending is durable, and not provable yet: entries that nobody places would be views that no
outsider ever sees. So there is a bound beyond which nothing more is admitted. Who reads the log for
an answer waits until it holds all that was answered before.
"""

import asyncio
from collections import deque
from enum import StrEnum

from guard.clock import monotonic
from guard.errors import StoreUnavailableError
from guard.ports import Readers
from guard.rows import PendingSpan

# One turn of the integrator: what is beyond it waits for another.
MANY = 4096
LATE_S = 5.0

# Beyond this the integrator is not coming back by itself.
TOO_MANY = 64 * MANY
TOO_LATE_S = 60.0

# How long an answer waits for the tree. The integrator is woken by each commit, so that the first
# look or the second finds what it waits for; another broker's turn may take some more.
PATIENCE_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.05


async def caught_up(readers: Readers) -> None:
    """Return when all that is durable now has its place in the tree, whoever places it.

    It waits beside the requests: nobody who writes waits for it, nor for the integrator.

    Raises:
        StoreUnavailableError: The store cannot be read, or the tree is too far behind.
    """
    span = await readers.read(lambda view: view.pending_span())
    if span is None:
        return
    until, deadline, pause = span.newest, monotonic() + PATIENCE_S, FIRST_PAUSE_S
    while span is not None and span.oldest <= until:
        if monotonic() >= deadline:
            raise StoreUnavailableError("the tree is behind what is durable, try again")
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)
        span = await readers.read(lambda view: view.pending_span())


class Lag(StrEnum):
    """How the integrator keeps up."""

    NONE = "none"
    BEHIND = "behind"
    TOO_FAR = "too_far"


class Backlog:
    """Judges by the ends of the pending ids, looked at now and then: nothing is ever counted."""

    def __init__(self) -> None:
        """Start with nothing pending."""
        self.entries, self.age_s, self.lag = 0, 0.0, Lag.NONE
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, span: PendingSpan | None, now: float) -> Lag:
        """Judge what is pending at `now`, in seconds of a clock that never goes back.

        The oldest entry is at least as old as the first look at which its id was given already.
        """
        self.lag = self._judge(span, now)
        return self.lag

    def _judge(self, span: PendingSpan | None, now: float) -> Lag:
        if span is None:
            self._seen.clear()
            self.entries, self.age_s = 0, 0.0
            return Lag.NONE
        while self._seen and self._seen[0][1] < span.oldest:
            self._seen.popleft()
        if not self._seen or self._seen[-1][1] < span.newest:
            self._seen.append((now, span.newest))
        self.entries, self.age_s = span.most, now - self._seen[0][0]
        if self.entries > TOO_MANY or self.age_s > TOO_LATE_S:
            return Lag.TOO_FAR
        return Lag.BEHIND if self.entries > MANY or self.age_s > LATE_S else Lag.NONE
