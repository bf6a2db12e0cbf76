from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from guard.errors import StoreUnavailableError
from guard.ledger import backlog as module
from guard.ledger.backlog import LATE_S, MANY, TOO_LATE_S, TOO_MANY, Backlog, Lag, caught_up
from guard.ports import Readers
from guard.rows import PendingSpan


class Spans:
    """Readers that see one span after another, and the last for ever."""

    def __init__(self, *spans: PendingSpan | None) -> None:
        self.left, self.looks = list(spans), 0

    async def read(self, look: Callable[[Any], object]) -> object:
        self.looks += 1
        span = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return look(SimpleNamespace(pending_span=lambda: span))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("spans", "looks"),
    [
        # Nothing waits; or what waited is placed, though more has come since.
        ([None], 1),
        ([PendingSpan(3, 9), PendingSpan(9, 30), PendingSpan(10, 40)], 3),
        ([PendingSpan(3, 9), None], 2),
    ],
)
async def test_who_reads_the_log_waits_for_what_was_durable_and_for_no_more(
    spans: list[PendingSpan | None], looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0)
    readers = Spans(*spans)
    await caught_up(cast("Readers", readers))
    assert readers.looks == looks


@pytest.mark.anyio
async def test_who_reads_the_log_waits_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0)
    with pytest.raises(StoreUnavailableError, match="the tree is behind"):
        await caught_up(cast("Readers", Spans(PendingSpan(3, 9))))


def test_nothing_pending_is_no_lag() -> None:
    backlog = Backlog()
    assert backlog.look(PendingSpan(1, 10), 0.0) is Lag.NONE
    assert backlog.look(None, 99.0) is backlog.lag is Lag.NONE
    assert (backlog.entries, backlog.age_s) == (0, 0.0)


def test_many_pending_are_a_lag_and_more_are_too_many() -> None:
    backlog = Backlog()
    assert backlog.look(PendingSpan(1, MANY), 0.0) is Lag.NONE
    assert backlog.look(PendingSpan(1, MANY + 1), 1.0) is Lag.BEHIND
    assert backlog.look(PendingSpan(5, TOO_MANY + 5), 1.0) is Lag.TOO_FAR
    assert backlog.entries == TOO_MANY + 1


def test_the_oldest_is_as_old_as_the_look_that_first_saw_its_id() -> None:
    backlog = Backlog()
    backlog.look(PendingSpan(1, 10), 100.0)
    backlog.look(PendingSpan(1, 20), 101.0)
    assert backlog.look(PendingSpan(10, 20), 100.0 + LATE_S) is Lag.NONE
    assert backlog.look(PendingSpan(10, 30), 100.1 + LATE_S) is Lag.BEHIND
    # Id 11 was given by the second look.
    assert backlog.look(PendingSpan(11, 30), 101.0 + LATE_S) is Lag.NONE
    assert backlog.look(PendingSpan(11, 30), 101.1 + TOO_LATE_S) is Lag.TOO_FAR
    assert backlog.look(PendingSpan(31, 31), 200.0) is Lag.NONE
