from guard.ledger.backlog import LATE_S, MANY, TOO_LATE_S, TOO_MANY, Backlog, Lag
from guard.rows import PendingSpan


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
