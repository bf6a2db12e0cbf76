"""Every read of a customer's record from a source has a number; its entry names it.

The number is taken in one place, the wrapper round the source (`guard.sources.counted`), before the
source is asked: whatever reads in another way than the one path is numbered too, and no entry will
name its number. An entry says in `reads` which numbers it accounts for. So what was read and is in
no entry can be told exactly, also while other reads are under way (`guard.reconciliation`).

A writer may number only so far ahead of what it has last counted in the log. After a crash that
bounds what was read since then, whatever was lost with the process.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from guard.clock import monotonic
from guard.errors import SourceError

# How far the numbers may run ahead of the last count in the log, and so the most reads that a crash
# leaves open. At half of it a count is due: at 5,000 reads a second, one small entry every 100 ms.
ALLOWANCE = 1024

_noted: ContextVar[list[int] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[int]]:
    """Collect the numbers of all reads inside the block, also those of tasks that it starts."""
    numbers: list[int] = []
    token = _noted.set(numbers)
    try:
        yield numbers
    finally:
        _noted.reset(token)


def noted() -> list[int]:
    """The numbers that the innermost `noting` block has collected so far."""
    return list(_noted.get() or ())


class ReadCounter:
    """Numbers reads. One per writer, used on the event loop alone."""

    def __init__(
        self, *, mono: Callable[[], float] = monotonic, allowance: int = ALLOWANCE
    ) -> None:
        """Number from 0; `on_low` may be set, and is called when a count in the log is due."""
        self._mono, self._allowance = mono, allowance
        self.total = 0
        self.by_source: Counter[str] = Counter()
        self.upto = allowance
        self.on_low: Callable[[], None] = _nothing
        # By number, when it was taken: those that no entry is known to name.
        self._open: dict[int, float] = {}

    def take(self, source: str) -> None:
        """Number one read that is about to happen.

        Raises:
            SourceError: The log has not counted for too long: nothing more is read.
        """
        if self.total >= self.upto:
            self.on_low()
            raise SourceError("reads of sources are not counted in the log, see it and try again")
        number, self.total = self.total, self.total + 1
        self.by_source[source] += 1
        self._open[number] = self._mono()
        numbers = _noted.get()
        if numbers is not None:
            numbers.append(number)
        if self.upto - self.total <= self._allowance // 2:
            self.on_low()

    def accounted(self, number: int) -> None:
        """Take note that an entry of the log names this number."""
        self._open.pop(number, None)

    def open(self) -> list[int]:
        """Numbers that no entry is known to name."""
        return sorted(self._open)

    def late(self, grace_s: float) -> list[int]:
        """Those of them that are older than `grace_s`."""
        edge = self._mono() - grace_s
        return sorted(number for number, at in self._open.items() if at <= edge)

    def allow(self, counted: int) -> int:
        """Let the numbers run on: the log says that `counted` were taken; returns up to where."""
        self.upto = max(self.upto, counted + self._allowance)
        return self.upto


def _nothing() -> None:
    pass
