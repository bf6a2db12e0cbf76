"""The integrator: gives durable entries their places in the tree, soon after they were committed.

Any broker may run one; the store lets one of them work at a time, and a turn is one transaction, so
that a crash anywhere leaves either all of it or nothing. It signs nothing: what it places is read
back and hashed again by the publisher.
"""

import threading
from collections import deque

from guard.clock import Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, NewEntry, system_event
from guard.errors import DurabilityError, ForkError, StoreUnavailableError
from guard.ports import PendingEntries, Transaction
from guard.rows import Gap

# Entries of one turn: some tens of milliseconds, so that the head is never locked for long.
TURN = 4096

# What another broker left behind is found this long after, at the latest.
POLL_S = 0.1


# Gaps told in one transaction.
TOLD = 100


def tell_gaps(now: Micros, tx: Transaction) -> list[Gap]:
    """Record, in `tx`, what was found missing and no entry tells yet; returns what it was."""
    gaps = tx.rows.take_gaps(TOLD)
    for gap in gaps:
        body: dict[str, BodyValue] = {
            "writer": gap.writer.hex(),
            "first": gap.first,
            "before": gap.before,
        }
        event = system_event(SYSTEM, EntryKind.GAP, now, body)
        tx.record(NewEntry(kind=EntryKind.GAP, event=event))
    return gaps


class Integrator:
    """Runs turns on a thread of its own: when told of a commit, and at least every `POLL_S`."""

    def __init__(self, pending: PendingEntries) -> None:
        """Integrate what is `pending`."""
        self._pending = pending
        self._woken, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, name="integrator", daemon=True)
        self._ended: ForkError | DurabilityError | None = None
        self.gaps: deque[Gap] = deque()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something has been committed."""
        self._woken.set()

    def close(self) -> None:
        """Place what is left, and end."""
        self._ends.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        """Raise what ended the work, if anything did: nothing is placed any more.

        Raises:
            ForkError: A pending entry was changed or is in the tree already, or cannot be placed
                for a reason that nobody foresaw.
            DurabilityError: A disk lost what it had taken.
        """
        if self._ended is not None:
            raise self._ended

    def catch_up(self) -> int:
        """Place all that is pending now; returns how many.

        Raises:
            StoreUnavailableError: The store cannot be reached or written.
            ForkError: A pending entry was changed, or is in the tree already.
        """
        total = 0
        while True:
            done = self._pending.integrate(TURN)
            self.gaps.extend(done.gaps)
            total += done.count
            if done.count < TURN:
                return total

    def _serve(self) -> None:
        while True:
            is_last = self._ends.is_set()
            try:
                self.catch_up()
            except (ForkError, DurabilityError) as error:
                self._ended = error
                return
            except StoreUnavailableError:
                # It comes back, and what is pending with it; requests learn of it by themselves.
                self._ends.wait(POLL_S)
            except Exception as error:  # noqa: BLE001 - kept for `check`: a thread that dies tells nobody
                self._ended = _unforeseen(error)
                return
            if is_last:
                return
            self._woken.wait(POLL_S)
            self._woken.clear()


def _unforeseen(error: Exception) -> ForkError:
    """Its kind alone: a text that nobody foresaw may hold anything."""
    return ForkError(
        f"what is pending cannot be placed ({type(error).__name__}): run `guard fsck`, restore what"
        " it names from a backup, then start again"
    )
