"""How far the tree is behind what is durable, and when that is too far.

What is pending is durable, and not provable yet: entries that nobody places would be views that no
outsider ever sees. So there is a bound beyond which nothing more is admitted.
"""

from collections import deque
from enum import StrEnum

from guard.rows import PendingSpan

# One turn of the integrator: what is beyond it waits for another.
MANY = 4096
LATE_S = 5.0

# Beyond this the integrator is not coming back by itself.
TOO_MANY = 64 * MANY
TOO_LATE_S = 60.0


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
