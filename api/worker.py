"""The worker: reads the ledger as it grows, lets the detectors judge it, puts findings down.

A child process of `guard serve`, so that detection can neither slow nor stop a view. It reads the
main database only, by index from its own cursor, and writes its own file only
(`guard.store.worker_file`). Rules it keeps:

* the cursor, the detectors' state and the findings change together, so that a worker that dies at
  any point reads on from the cursor and says each thing once;
* an entry reaches the outbox within a second of its commit: `POLL_S` + one batch + `HOLD_S`;
* tenants never mix: each has its own kernel and state;
* it logs counts and kinds, never a customer's value;
* it ends when its parent does.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from threading import Event
from typing import Protocol

import structlog

from api.feed import baseline_digest, floor_events
from guard.clock import monotonic
from guard.entries import EntryKind, OpenedEntry, StoredEntry
from guard.errors import UnavailableError
from guard.events import FloorEvent, History
from guard.findings import Finding
from guard.ledger.entry import open_entry
from guard.ports import DetailVault, Store
from guard.store.worker_file import WorkerFile

log = structlog.get_logger(__name__)

# How long an entry may wait to be noticed; a poll of an idle ledger is one indexed read.
POLL_S = 0.05
# Entries per read: what a kernel judges in well under half a second.
BATCH = 2_000
# State is saved at most once a second; losing it costs reading that second of entries again.
SAVE_S = 1.0
# A finding does not wait for that second, but several of one burst share a save.
HOLD_S = 0.2
# After the store or a key failed: long enough not to flood the log, short enough to be within the
# time in which somebody looks at it.
RETRY_S = 1.0


class Kernel(Protocol):
    """*Protocol* of one tenant's detectors; `detectors.pipeline` implements it."""

    def warm(self, history: History) -> None:
        """Learn what is normal from a finished stretch, without findings."""
        ...

    def step(self, batch: Sequence[FloorEvent]) -> Sequence[Finding]:
        """Judge events in order of position."""
        ...

    def dump(self) -> bytes:
        """The state, so that `Kernels` can make an equal kernel from it."""
        ...


# Makes a tenant's kernel: a new one (None), or the one that `dump` described.
Kernels = Callable[[bytes | None], Kernel]
# Reads the sealed warm-up file that a BASELINE entry of a tenant names.
Baselines = Callable[[str, str], History]


class Worker:
    """One pass after another over the ledger; `turn` is one, and `run` is all of them."""

    def __init__(
        self,
        *,
        store: Store,
        vault: DetailVault,
        file: WorkerFile,
        kernels: Kernels,
        baselines: Baselines,
        mono: Callable[[], float] = monotonic,
    ) -> None:
        """Read `store`, opening details with `vault`, from where `file` says one stopped."""
        self._store, self._vault, self._file = store, vault, file
        self._kernels, self._baselines, self._mono = kernels, baselines, mono
        self.rewind()

    def rewind(self) -> None:
        """Forget what is not saved, and take up where the file says that the last save was.

        Raises:
            UnavailableError: The file cannot be read.
        """
        self.cursor, states = self._file.load()
        self._live = {tenant: self._kernels(state) for tenant, state in states.items()}
        self._changed: set[str] = set()
        self._found: list[tuple[str, Finding]] = []
        self._saved_cursor, self._saved_at = self.cursor, self._mono()

    def turn(self) -> int:
        """Read and judge one batch, and save what is due; how many entries there were.

        Raises:
            UnavailableError: The store, a key or the worker's file failed: `rewind` before the
                next turn, so that nothing is skipped or judged twice.
        """
        stored, opened = self._read()
        for tenant, entries in _by_tenant(opened):
            self._judge(tenant, entries)
        if stored:
            self.cursor = stored[-1].index + 1
        self.save()
        return len(stored)

    def save(self, *, at_once: bool = False) -> None:
        """Put down cursor, states and findings together, if it is time or `at_once`.

        Raises:
            UnavailableError: Nothing was put down.
        """
        if self.cursor == self._saved_cursor:
            return
        waited = self._mono() - self._saved_at
        if not at_once and waited < (HOLD_S if self._found else SAVE_S):
            return
        states = {tenant: self._live[tenant].dump() for tenant in sorted(self._changed)}
        self._file.commit(self.cursor, states, self._found)
        if self._found:
            log.info("findings.written", findings=len(self._found), cursor=self.cursor)
        self._changed, self._found = set(), []
        self._saved_cursor, self._saved_at = self.cursor, self._mono()

    def _read(self) -> tuple[list[StoredEntry], list[OpenedEntry]]:
        with self._store.read() as view:
            stored = view.entries(self.cursor, BATCH)
            subjects = view.subjects({ref for entry in stored for ref in entry.refs})
        # An event part that was erased with its agent has nothing left to tell.
        kept = [entry for entry in stored if entry.sealed_event is not None]
        return stored, [open_entry(entry, self._vault, subjects) for entry in kept]

    def _judge(self, tenant: str, entries: Iterable[OpenedEntry]) -> None:
        kernel = self._live.get(tenant)
        if kernel is None:
            kernel = self._live[tenant] = self._kernels(None)
        batch: list[FloorEvent] = []
        for entry in entries:
            if entry.kind is EntryKind.BASELINE:
                self._step(tenant, kernel, batch)
                batch = []
                kernel.warm(self._baselines(tenant, baseline_digest(entry.event)))
                log.info("worker.warmed", entry=entry.index)
            else:
                batch.extend(floor_events(entry))
        self._step(tenant, kernel, batch)
        self._changed.add(tenant)

    def _step(self, tenant: str, kernel: Kernel, batch: Sequence[FloorEvent]) -> None:
        if batch:
            self._found.extend((tenant, finding) for finding in kernel.step(batch))


def _by_tenant(entries: Sequence[OpenedEntry]) -> list[tuple[str, list[OpenedEntry]]]:
    """Split by tenant, each part still in order of index; the sort is stable."""
    ordered = sorted(entries, key=lambda e: e.event.tenant)
    return [(t, list(part)) for t, part in groupby(ordered, key=lambda e: e.event.tenant)]


def run(worker: Worker, stop: Event, is_orphan: Callable[[], bool]) -> None:
    """Turn until `stop` is set or the parent is gone, then save."""
    is_behind = False
    while not stop.is_set() and not is_orphan():
        try:
            if is_behind:
                worker.rewind()
            is_behind = False
            if worker.turn() == 0:
                stop.wait(POLL_S)
        except UnavailableError as error:
            log.warning("worker.waiting", cause=type(error).__name__)
            is_behind = True
            stop.wait(RETRY_S)
    if not is_behind:
        worker.save(at_once=True)
