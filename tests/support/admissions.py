"""A running committer, requests for it, and a store that fails on command."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

from guard import quotas
from guard.admission import Admission, GroupCommitter
from guard.clock import Clock
from guard.entries import EntryKind
from guard.errors import CollisionError, DurabilityError, StoreUnavailableError
from guard.ports import ReadView, Store, UnitOfWork
from policies.model import ActorKind, Budget, BudgetKey, Purpose, Risk
from tests.support.makers import TENANT, make_entry
from tests.support.sealing import PlainReceipts, PlainSealer

# Longer than any machine needs for a commit; a test that reaches it has failed.
PATIENCE_S = 30.0


@contextmanager
def running(
    store: Store,
    clock: Clock,
    *,
    deadline_s: float = PATIENCE_S,
    **options: Any,  # noqa: ANN401 - the committer's own
) -> Iterator[GroupCommitter]:
    """A committer that is started, and closed after the block."""
    committer = GroupCommitter(
        store, PlainSealer(), PlainReceipts(), clock=clock, deadline_s=deadline_s, **options
    )
    committer.start()
    try:
        yield committer
    finally:
        committer.close()


def make_admission(
    ref: str = "c1",
    budgets: Sequence[Budget] = (),
    *,
    agent: str = "a1",
    risk: Risk = Risk.NONE,
    **changes: Any,  # noqa: ANN401 - any field
) -> Admission:
    """A permitted view of `ref` by `agent`."""
    key = f"agent:{TENANT}/{agent}"
    values: dict[str, Any] = {
        "keys": (key,),
        "risk": risk,
        "bindings": quotas.bind(
            budgets,
            keys={BudgetKey.AGENT: key},
            kind=ActorKind.HUMAN,
            purpose=Purpose.SUPPORT_CASE,
            risk=risk,
        ),
        "ref": ref,
        "entry": make_entry(EntryKind.VIEW, ref, agent=agent, outcome="permitted"),
        "suspended": make_entry(EntryKind.REFUSAL, ref, agent=agent, reasons=("suspended",)),
        "exceeded": lambda names: make_entry(EntryKind.REFUSAL, ref, agent=agent, reasons=names),
    }
    return Admission(**values | changes)


class Fault(Enum):
    """What happens to a commit."""

    LOST = "it fails, and nothing is written"
    LANDED = "it is written, and fails all the same"
    COLLIDED = "another transaction stood in its way, and nothing is written"
    DISK = "the disk did not keep what it had taken"
    HANGS = "it does not come back until the gate opens"


class FaultyStore:
    """A real store whose next commits meet the given faults, in order."""

    def __init__(self, inner: Store, faults: Sequence[Fault | None] = ()) -> None:
        """Wrap `inner`; None lets a commit pass."""
        self._inner = inner
        self.faults = list(faults)
        self.hung, self.gate = threading.Event(), threading.Event()
        self.begun = 0

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """See `Store.begin`."""
        self.begun += 1
        with self._inner.begin() as rows:
            yield rows
            fault = self.faults.pop(0) if self.faults else None
            if fault is Fault.LOST:
                raise StoreUnavailableError("the disk is full")
            if fault is Fault.COLLIDED:
                raise CollisionError("another transaction stood in the way, try again")
            if fault is Fault.DISK:
                raise DurabilityError("the disk failed")
            if fault is Fault.HANGS:
                self.hung.set()
                self.gate.wait(PATIENCE_S)
        if fault is Fault.LANDED:
            raise StoreUnavailableError("the connection was cut")

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        """See `Store.read`."""
        with self._inner.read() as view:
            yield view

    def check(self) -> None:
        """See `Store.check`."""
        self._inner.check()

    def close(self) -> None:
        """See `Store.close`."""
        self._inner.close()
