"""The worker: reads the ledger as it grows, lets the detectors judge it, puts findings down.

A child process of `guard serve`, so that detection can neither slow nor stop a view. It reads the
main database only, by index from its own cursor, and writes its own file only
(`guard.store.worker_file`). Rules it keeps:

* the cursor, the detectors' state and the findings change together, so that a worker that dies at
  any point reads on from the cursor and says each thing once;
* an entry reaches the outbox within a second of its commit: `POLL_S` + one batch + `HOLD_S`;
* tenants never mix: each has its own kernel and state;
* a key that was destroyed leaves its memory with the next turn;
* it logs counts and kinds, never a customer's value;
* it ends when its parent does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby
from threading import Event, Thread
from typing import Protocol

import structlog

from api import baselines
from api.feed import baseline_digest, floor_events
from api.places import baselines_dir, database_url, open_keyring, worker_file
from api.settings import Settings
from detectors.errors import StateError
from detectors.pipeline import Pipeline
from guard.clock import Micros, monotonic
from guard.entries import EntryKind, OpenedEntry, StoredEntry
from guard.errors import InvalidRequestError, ProofError, UnavailableError
from guard.events import FloorEvent, History
from guard.findings import Finding
from guard.ledger.entry import open_entry
from guard.ledger.merkle import HASH_SIZE
from guard.ports import DetailVault, ReadView
from guard.rows import SubjectRow
from guard.store.sql_store import SqlReader
from guard.store.worker_file import WorkerFile
from guard.vault.sealing import EntryVault

log = structlog.get_logger(__name__)

# How long an entry may wait to be noticed; a poll of an idle ledger is one indexed read.
POLL_S = 0.05
# Entries per read: what a kernel judges in well under half a second.
BATCH = 2_000
# State is saved at most once a second; losing it costs reading that second of entries again.
SAVE_S = 1.0
# A save of a large floor takes long itself; so much of the worker's time at most goes into saving.
SAVE_SHARE = 0.1
# A finding does not wait for that second, but several of one burst share a save.
HOLD_S = 0.2
# After the store or a key failed: long enough not to flood the log, short enough to be within the
# time in which somebody looks at it.
RETRY_S = 1.0
# A second opinion is fitted after so long without an entry, so that it delays no alert, and again
# after so long, for the days that have ended since.
QUIET_S = 5.0
REFIT_S = 3600.0


class Kernel(Protocol):
    """*Protocol* of one tenant's detectors; `detectors.pipeline.Pipeline` is one."""

    def warm_up(self, history: History) -> None:
        """Learn what is normal from a finished stretch, without findings."""
        ...

    def step(
        self, events: Sequence[FloorEvent], *, complete_to: Micros | None = None
    ) -> list[Finding]:
        """Judge new events; the newest wait until `complete_to` says that they are all there."""
        ...

    def state(self) -> bytes:
        """Everything learnt, so that an equal kernel can be made from it."""
        ...

    def fit_outliers(self, key: bytes) -> bytes | None:
        """Fit the second opinion, on any thread; None: too few days for one."""
        ...

    def use_outliers(self, sealed: bytes, key: bytes) -> None:
        """Judge by a fitted second opinion from now on."""
        ...


class Snapshots(Protocol):
    """*Protocol* of reading the ledger; what the worker has of the store."""

    def read(self) -> AbstractContextManager[ReadView]:
        """Open a snapshot."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What the worker needs of the detectors, and of where they keep things.

    `kernel` makes a tenant's kernel: a new one (None), or the one whose `state` this is; it raises
    StateError for a state that it cannot read. `baseline` reads the warm-up file that an entry of a
    tenant names by digest; `model_key` is the key under which a tenant's second opinion is sealed.
    """

    kernel: Callable[[bytes | None], Kernel]
    baseline: Callable[[str, str], History]
    model_key: Callable[[str], bytes]


class Worker:
    """One pass after another over the ledger; `turn` is one, and `run` is all of them."""

    def __init__(
        self,
        *,
        store: Snapshots,
        vault: DetailVault,
        file: WorkerFile,
        detection: Detection,
        refresh_keys: Callable[[], None],
        mono: Callable[[], float] = monotonic,
    ) -> None:
        """Read `store`, opening details with `vault`, from where `file` says one stopped.

        `refresh_keys` makes the vault forget what other processes have destroyed.
        """
        self._store, self._vault, self._file = store, vault, file
        self._refresh_keys = refresh_keys
        self._detection, self._mono = detection, mono
        self._read_at, self._fitted_at = mono(), -REFIT_S
        self._save_cost = 0.0
        self.rewind()

    def rewind(self) -> None:
        """Forget what is not saved, and take up where the file says that the last save was.

        Raises:
            UnavailableError: The file cannot be read.
        """
        self.cursor, states = self._file.load()
        self._known = 0
        try:
            self._live = {tenant: self._detection.kernel(state) for tenant, state in states.items()}
        except StateError:
            # Another release's state: learn it all again from the ledger, without saying again
            # what was said before.
            log.warning("worker.relearning", n=self.cursor)
            self._live, self._known, self.cursor = {}, self.cursor, 0
        self._fitting: Fitting | None = None
        self._changed: set[str] = set()
        # A saved state may keep events back too.
        self._waiting = set(self._live)
        self._found: list[tuple[str, Finding]] = []
        self._saved_cursor, self._saved_at = self.cursor, self._mono()

    def turn(self) -> int:
        """Read and judge one batch, and save what is due; how many entries there were.

        Raises:
            UnavailableError: The store, a key or the worker's file failed: `rewind` before the
                next turn, so that nothing is skipped or judged twice.
        """
        self._refresh_keys()
        stored, opened, newest = self._read()
        for tenant, entries in _by_tenant(opened):
            self._judge(tenant, entries)
        if stored:
            self.cursor = stored[-1].index + 1
            self._read_at = self._mono()
        else:
            self._complete(newest)
            self._second_opinion()
        self.save()
        return len(stored)

    def save(self, *, at_once: bool = False) -> None:
        """Put down cursor, states and findings together, if it is time or `at_once`.

        Raises:
            UnavailableError: Nothing was put down.
        """
        if self.cursor < self._known or (self.cursor == self._saved_cursor and not self._changed):
            return
        begun = self._mono()
        wanted = HOLD_S if self._found else max(SAVE_S, self._save_cost / SAVE_SHARE)
        if not at_once and begun - self._saved_at < wanted:
            return
        states = {tenant: self._live[tenant].state() for tenant in sorted(self._changed)}
        self._file.commit(self.cursor, states, self._found)
        if self._found:
            log.info("findings.written", count=len(self._found), position=self.cursor)
        self._changed, self._found = set(), []
        self._saved_cursor, self._saved_at = self.cursor, self._mono()
        self._save_cost = self._saved_at - begun

    def _read(self) -> tuple[list[StoredEntry], list[OpenedEntry], Micros]:
        # While relearning, a batch ends where what was said before ends.
        limit = min(BATCH, self._known - self.cursor) if self.cursor < self._known else BATCH
        with self._store.read() as view:
            stored = view.entries(self.cursor, limit)
            subjects = view.subjects({ref for entry in stored for ref in entry.refs})
            newest = 0 if stored else view.newest_at()
            size, _ = view.head()
        if self.cursor > size:
            # An older copy of the ledger was put in place: what it goes on with is new.
            log.error("worker.ledger_shrunk", entry=self.cursor, size=size)
            self._live, self._known, self.cursor = {}, size, 0
        opened = [one for entry in stored if (one := self._open(entry, subjects))]
        return stored, opened, newest

    def _open(self, stored: StoredEntry, subjects: Mapping[str, SubjectRow]) -> OpenedEntry | None:
        """Open an entry; None if it was erased with its agent, or does not hold."""
        if stored.sealed_event is not None and len(stored.sealed_event) <= HASH_SIZE:
            return None
        try:
            return open_entry(stored, self._vault, subjects)
        except ProofError:
            # Whoever can damage one entry must not be able to stop all detection with it; naming
            # the damage is `guard verify`'s business and the publisher's.
            log.error("entry.unreadable", entry=stored.index)  # noqa: TRY400 - the text is the entry's, and stays out
            return None

    def _judge(self, tenant: str, entries: Iterable[OpenedEntry]) -> None:
        kernel = self._live.get(tenant)
        if kernel is None:
            kernel = self._live[tenant] = self._detection.kernel(None)
        batch: list[FloorEvent] = []
        for entry in entries:
            if entry.kind is EntryKind.BASELINE:
                self._step(tenant, kernel, batch)
                batch = []
                self._warm_up(tenant, kernel, entry)
            else:
                batch.extend(floor_events(entry))
        self._step(tenant, kernel, batch)
        self._changed.add(tenant)

    def _warm_up(self, tenant: str, kernel: Kernel, entry: OpenedEntry) -> None:
        try:
            history = self._detection.baseline(tenant, baseline_digest(entry.event))
        except (InvalidRequestError, ProofError) as error:
            # To judge by nothing but what was seen here is better than not to judge at all.
            log.error("baseline.unreadable", entry=entry.index, error=type(error).__name__)  # noqa: TRY400 - the cause is enough
            return
        kernel.warm_up(history)
        log.info("worker.warmed", entry=entry.index, rows=len(history.events))

    def _step(self, tenant: str, kernel: Kernel, batch: Sequence[FloorEvent]) -> None:
        if batch:
            self._waiting.add(tenant)
            self._keep(tenant, kernel.step(batch))

    def _complete(self, newest: Micros) -> None:
        """Nothing waits in the ledger: what the kernels keep back, up to `newest`, is complete."""
        for tenant in sorted(self._waiting):
            self._keep(tenant, self._live[tenant].step([], complete_to=newest))
            self._changed.add(tenant)
        self._waiting.clear()

    def _keep(self, tenant: str, found: Sequence[Finding]) -> None:
        if self.cursor >= self._known:
            self._found.extend((tenant, finding) for finding in found)

    def _second_opinion(self) -> None:
        """Take over what was fitted, or begin to fit if it has been quiet for long enough."""
        if self._fitting is not None:
            if not self._fitting.is_alive():
                for tenant, sealed in self._fitting.sealed.items():
                    self._live[tenant].use_outliers(sealed, self._detection.model_key(tenant))
                log.info("outliers.fitted", count=len(self._fitting.sealed))
                self._fitting = None
            return
        now = self._mono()
        if now - self._read_at < QUIET_S or now - self._fitted_at < REFIT_S:
            return
        self._fitted_at = now
        self._fitting = Fitting(
            {t: (k, self._detection.model_key(t)) for t, k in self._live.items()}
        )
        self._fitting.start()


class Fitting(Thread):
    """One fit of every tenant's second opinion, beside the worker's own thread."""

    def __init__(self, kernels: Mapping[str, tuple[Kernel, bytes]]) -> None:
        """Fit each kernel and seal what comes out under its key; `sealed` holds it at the end."""
        super().__init__(name="fitting", daemon=True)
        self._kernels = dict(kernels)
        self.sealed: dict[str, bytes] = {}

    def run(self) -> None:
        """See `Thread.run`."""
        for tenant, (kernel, key) in self._kernels.items():
            sealed = kernel.fit_outliers(key)
            if sealed is not None:
                self.sealed[tenant] = sealed


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
            log.warning("worker.waiting", error=type(error).__name__)
            is_behind = True
            stop.wait(RETRY_S)
    if not is_behind:
        worker.save(at_once=True)


@contextmanager
def open_worker(settings: Settings) -> Iterator[Worker]:
    """Compose the worker that the settings describe; what it opened is closed behind it.

    Raises:
        ConfigurationError: The database or the worker's file cannot be used.
        KeyUnavailableError: A key file is missing.
    """
    keyring = open_keyring(settings)
    vault = EntryVault(keyring)
    folder = baselines_dir(settings)
    store = SqlReader(database_url(settings))
    file = WorkerFile(worker_file(settings))
    try:
        yield Worker(
            store=store,
            vault=vault,
            file=file,
            detection=Detection(
                kernel=lambda state: Pipeline() if state is None else Pipeline.from_state(state),
                baseline=lambda tenant, digest: baselines.read(folder, vault, tenant, digest),
                model_key=lambda tenant: keyring.derived(tenant, "outliers"),
            ),
            refresh_keys=keyring.refresh,
        )
    finally:
        file.close()
        store.close()
