"""Time, as an argument.

Two clocks, never mixed up. The *domain clock* stamps entries, budgets, shifts and cases: whole
microseconds since the Unix epoch, UTC (`Micros`); a demo may run it faster than real time. The
*monotonic clock* serves deadlines, token lives and latencies, and is always real.

This is the only module that reads either clock; everything else is handed a `Clock`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol, TypeAlias

Micros: TypeAlias = int

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

# A suspended laptop or a leap in NTP must not spend a day of budgets at once; an operator's entry
# is needed for more.
MAX_LEAP: Micros = 5 * SECOND
# A second an hour: far more than any crystal drifts, far less than a day in a night.
MAX_DRIFT = 1 / 3600


class Clock(Protocol):
    """*Protocol* of whatever tells domain time."""

    def now(self) -> Micros:
        """Domain time in microseconds since the epoch; never less than an earlier answer."""
        ...


def wall_micros() -> Micros:
    """The machine's wall clock, in microseconds since the epoch."""
    return time.time_ns() // 1000


def monotonic() -> float:
    """Real seconds for deadlines and latencies; only differences mean anything."""
    return time.monotonic()


def to_rfc3339(at: Micros) -> str:
    """Render with microseconds and a `Z`, the one way a time leaves this process."""
    moment = datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> Micros:
    """Read an RFC 3339 time with an offset.

    Raises:
        ValueError: The text is no time, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("time `" + text + "` has no offset, add `Z` or `+00:00`")
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * SECOND + moment.microsecond


@dataclass(frozen=True, slots=True)
class Rate:
    """Where a domain clock starts and how fast it runs: `origin + (wall - wall_origin) * rate`."""

    origin: Micros
    wall_origin: Micros
    rate: float


class DomainClock:
    """Domain time over the wall clock: never back, never a leap beyond the monotonic clock.

    Since its start it has advanced by at most `rate * (monotonic elapsed + MAX_LEAP)`, and by what
    a drifting crystal explains (`MAX_DRIFT`). A wall clock that jumps forward is not followed: that
    takes a restart, and so an operator. One that jumps back is waited out.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        floor: Micros = 0,
        wall: Callable[[], Micros] = wall_micros,
        mono: Callable[[], float] = monotonic,
    ) -> None:
        """Start at `rate`; `floor` is the newest time already in the store (0: none)."""
        self._rate, self._wall, self._mono = rate, wall, mono
        self._lock = Lock()
        self._start = self._last = max(floor, self._reading())
        self._start_mono = mono()

    def _reading(self) -> Micros:
        r = self._rate
        return r.origin + int((self._wall() - r.wall_origin) * r.rate)

    def now(self) -> Micros:
        """See `Clock.now`."""
        with self._lock:
            elapsed = (self._mono() - self._start_mono) * SECOND * (1 + MAX_DRIFT)
            latest = self._start + int((elapsed + MAX_LEAP) * self._rate.rate)
            self._last = max(self._last, min(self._reading(), latest))
            return self._last


class ManualClock:
    """A clock that stands still until told; for tests, replays and backtests."""

    def __init__(self, at: Micros) -> None:
        """Stand at `at`."""
        self._at = at

    def now(self) -> Micros:
        """See `Clock.now`."""
        return self._at

    def advance(self, by: Micros) -> None:
        """Move on by `by` microseconds, which must not be negative."""
        if by < 0:
            raise ValueError("a clock does not run back")
        self._at += by
