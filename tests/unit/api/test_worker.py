import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import anyio
import msgspec
import pytest

from api import worker as module
from api.places import database_url
from api.worker import (
    BATCH,
    HOLD_S,
    QUIET_S,
    SAVE_S,
    Detection,
    Fitting,
    Worker,
    open_worker,
    run,
)
from detectors.errors import StateError
from guard.clock import Micros
from guard.entries import BodyValue, EntryKind, EventPart, OpenedEntry, StoredEntry, SubjectPart
from guard.errors import InvalidRequestError, ProofError, StoreUnavailableError
from guard.events import AccessEvent, FloorEvent, History
from guard.findings import Finding, FindingKind, Severity
from guard.store.sql_store import SqlReader
from guard.store.worker_file import WorkerFile
from tests.unit.api.installation import settings_of, work_a_morning, write_crm

# Every third customer raises a finding in the kernel below.
LOUD = 3
ALIEN = b"another release"
State = tuple[int, list[AccessEvent]]


class Ticking:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class CountingKernel:
    """Learns how many events it saw, and says one thing per loud customer."""

    def __init__(self, state: bytes | None) -> None:
        if state == ALIEN:
            raise StateError("the state cannot be read, warm up again")
        kept: State = (0, []) if state is None else msgspec.json.decode(state, type=State)
        self.seen, self.held = kept
        self.warmed: list[int] = []
        self.models: list[bytes] = []

    def warm_up(self, history: History) -> None:
        self.warmed.append(len(history.events))

    def step(
        self, events: Sequence[FloorEvent], *, complete_to: Micros | None = None
    ) -> list[Finding]:
        waiting = [*self.held, *(e for e in events if isinstance(e, AccessEvent))]
        edge = complete_to if complete_to is not None else max(e.ts for e in waiting) - 1
        ready = [e for e in waiting if e.ts <= edge]
        self.held = [e for e in waiting if e.ts > edge]
        self.seen += len(ready)
        return [a_finding(e.customer_id) for e in ready if int(e.customer_id[1:]) % LOUD == 0]

    def state(self) -> bytes:
        return msgspec.json.encode((self.seen, self.held))

    def fit_outliers(self, key: bytes) -> bytes | None:
        return b"model:" + key if self.seen else None

    def use_outliers(self, sealed: bytes, key: bytes) -> None:
        assert sealed == b"model:" + key
        self.models.append(sealed)


def a_finding(key: str) -> Finding:
    return Finding(
        key=key,
        kind=FindingKind.AGENT,
        raised_at=1,
        first_event_at=1,
        agent_ids=("a-1",),
        score=10.0,
        severity=Severity.HIGH,
        channels=(),
        reasons=(),
        contributions=(),
        evidence=(),
    )


class Log:
    """A ledger in a list; it stands in for the store and for the keys that open its entries."""

    def __init__(self) -> None:
        self.opened: list[OpenedEntry] = []
        self.is_down = False
        self.broken: set[int] = set()
        self.erased: set[int] = set()
        self.limits: list[int] = []
        self.refreshed = 0

    def refresh_keys(self) -> None:
        self.refreshed += 1

    def add(
        self,
        tenant: str = "north",
        kind: EntryKind = EntryKind.VIEW,
        body: dict[str, BodyValue] | None = None,
    ) -> None:
        n = len(self.opened)
        event = EventPart(at=1_000 + n, kind="view", tenant=tenant, agent="a-1", body=body or {})
        refs = (f"r{n}",) if kind is EntryKind.VIEW else ()
        self.opened.append(
            OpenedEntry(
                index=n,
                entry_id=f"{n:032x}",
                kind=kind,
                event=event,
                refs=refs,
                subjects=tuple(SubjectPart(customer=r) for r in refs),
            )
        )

    @contextmanager
    def read(self) -> Iterator["Log"]:
        if self.is_down:
            raise StoreUnavailableError("the store does not answer")
        yield self

    def entries(self, start: int, limit: int) -> list[StoredEntry]:
        self.limits.append(limit)
        return [
            StoredEntry(
                index=e.index,
                leaf=b"",
                leaf_hash=b"",
                epoch="",
                sealed_event=bytes(32 if e.index in self.erased else 64),
                refs=e.refs,
                sealed_subjects=(),
            )
            for e in self.opened[start : start + limit]
        ]

    def head(self) -> tuple[int, tuple[bytes, ...]]:
        return len(self.opened), ()

    def newest_at(self) -> Micros:
        return max((e.event.at for e in self.opened), default=0)

    def subjects(self, _refs: object) -> dict[str, object]:
        return {}

    def open(self, stored: StoredEntry, _vault: object, _subjects: object) -> OpenedEntry:
        if stored.index in self.broken:
            raise ProofError("a part was changed", index=stored.index)
        return self.opened[stored.index]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(module, "open_entry", log.open)
    return log


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[WorkerFile]:
    opened = WorkerFile(tmp_path / "worker.db")
    yield opened
    opened.close()


def no_baseline(_tenant: str, _digest: str) -> History:
    raise InvalidRequestError("it is not in the data folder")


def a_worker(
    ledger: Log, file: WorkerFile, clock: Ticking, *, history: History | None = None
) -> Worker:
    return Worker(
        store=ledger,  # type: ignore[arg-type] # two of the snapshot's methods are all that is used
        vault=ledger,  # type: ignore[arg-type] # never used: `open_entry` is the ledger's own
        file=file,
        detection=Detection(
            kernel=CountingKernel,
            baseline=no_baseline if history is None else lambda _t, _d: history,
            model_key=str.encode,
        ),
        refresh_keys=ledger.refresh_keys,
        mono=clock,
    )


def fitting_of(worker: Worker) -> Fitting | None:
    return worker._fitting  # noqa: SLF001 - its end is waited for, instead of sleeping


def seen_in(file: WorkerFile) -> dict[str, int]:
    return {t: msgspec.json.decode(s, type=State)[0] for t, s in file.load()[1].items()}


def keys_in(file: WorkerFile) -> list[str]:
    return [item.finding.key for item in file.after(0, 1000)]


def test_entries_become_findings_once_nothing_more_waits(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    for _ in range(7):
        ledger.add()
    worker = a_worker(ledger, file, clock)
    assert worker.turn() == 7
    assert worker.turn() == 0
    clock.now += HOLD_S
    worker.save()
    assert keys_in(file) == ["r0", "r3", "r6"]
    assert (file.load()[0], seen_in(file)) == (7, {"north": 7})


def test_a_burst_of_findings_shares_one_save(ledger: Log, file: WorkerFile, clock: Ticking) -> None:
    worker = a_worker(ledger, file, clock)
    ledger.add()
    worker.turn()
    worker.turn()
    assert keys_in(file) == []
    clock.now += HOLD_S / 2
    worker.turn()
    assert keys_in(file) == []
    clock.now += HOLD_S / 2
    worker.turn()
    assert keys_in(file) == ["r0"]


def test_without_a_finding_state_is_saved_once_a_second(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    ledger.add(kind=EntryKind.SIGN_IN)
    worker = a_worker(ledger, file, clock)
    worker.turn()
    clock.now += SAVE_S / 2
    worker.turn()
    assert file.load()[0] == 0
    clock.now += SAVE_S / 2
    worker.turn()
    assert file.load()[0] == 1


@pytest.mark.parametrize("crash_after", range(1, 9))
def test_a_worker_that_dies_at_any_point_says_each_thing_once(
    ledger: Log, file: WorkerFile, clock: Ticking, crash_after: int
) -> None:
    first = a_worker(ledger, file, clock)
    for n in range(9):
        ledger.add()
        clock.now += 0.1
        first.turn()
        if n + 1 == crash_after:
            break
    for _ in range(9 - crash_after):
        ledger.add()
    second = a_worker(ledger, file, clock)
    second.turn()
    second.turn()
    second.save(at_once=True)
    assert keys_in(file) == ["r0", "r3", "r6"]
    assert (file.load()[0], seen_in(file)) == (9, {"north": 9})


def test_tenants_never_mix(ledger: Log, file: WorkerFile, clock: Ticking) -> None:
    for tenant in ("north", "south", "north", "south", "north"):
        ledger.add(tenant)
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.turn()
    worker.save(at_once=True)
    assert seen_in(file) == {"north": 3, "south": 2}
    assert [(i.tenant, i.finding.key) for i in file.after(0, 10)] == [
        ("north", "r0"),
        ("south", "r3"),
    ]


def test_a_batch_is_bounded(ledger: Log, file: WorkerFile, clock: Ticking) -> None:
    a_worker(ledger, file, clock).turn()
    assert ledger.limits == [BATCH]


def test_an_entry_that_does_not_hold_does_not_stop_detection(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    for _ in range(4):
        ledger.add()
    ledger.broken = {0}
    ledger.erased = {1}
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.turn()
    worker.save(at_once=True)
    assert (file.load()[0], seen_in(file)) == (4, {"north": 2})
    assert keys_in(file) == ["r3"]


def test_a_baseline_warms_the_kernel_of_its_tenant(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    ledger.add()
    ledger.add(kind=EntryKind.BASELINE, body={"digest": "ab"})
    ledger.add()
    worker = a_worker(ledger, file, clock, history=History(events=(), profiles=()))
    worker.turn()
    kernel = worker._live["north"]  # noqa: SLF001 - what it was given is what is checked
    assert isinstance(kernel, CountingKernel)
    assert kernel.warmed == [0]


def test_a_baseline_that_is_gone_does_not_stop_detection(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    ledger.add(kind=EntryKind.BASELINE, body={"digest": "ab"})
    ledger.add()
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.turn()
    worker.save(at_once=True)
    assert (file.load()[0], seen_in(file)) == (2, {"north": 1})


def test_the_state_of_another_release_is_learnt_again_in_silence(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    for _ in range(4):
        ledger.add()
    file.commit(4, {"north": ALIEN}, [("north", a_finding("r0"))])
    for _ in range(3):
        ledger.add()
    worker = a_worker(ledger, file, clock)
    assert worker.cursor == 0
    assert worker.turn() == 4
    worker.turn()
    worker.turn()
    worker.save(at_once=True)
    # What stood at the old edge is said with what came after it; nothing before it is repeated.
    assert keys_in(file) == ["r0", "r3", "r6"]
    assert (file.load()[0], seen_in(file)) == (7, {"north": 7})


def test_a_second_opinion_is_fitted_when_it_is_quiet_and_taken_over(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    ledger.add()
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.turn()
    assert fitting_of(worker) is None
    clock.now += QUIET_S
    worker.turn()
    fitting = fitting_of(worker)
    assert isinstance(fitting, Fitting)
    fitting.join()
    worker.turn()
    kernel = worker._live["north"]  # noqa: SLF001 - what it was given is what is checked
    assert isinstance(kernel, CountingKernel)
    assert kernel.models == [b"model:north"]
    clock.now += QUIET_S
    worker.turn()
    # Not again within the hour.
    assert fitting_of(worker) is None


def test_too_few_days_give_no_second_opinion() -> None:
    fitting = Fitting({"north": (CountingKernel(None), b"key")})
    fitting.run()
    assert fitting.sealed == {}


def test_an_outage_is_waited_out_and_nothing_is_skipped_or_said_twice(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    for _ in range(4):
        ledger.add()
    ledger.is_down = True
    waits: list[float] = []

    class Pausing(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            ledger.is_down = False
            clock.now += 1
            if len(waits) == 3:
                self.set()
            return self.is_set()

    worker = a_worker(ledger, file, clock)
    run(worker, Pausing(), lambda: False)
    assert waits[0] == module.RETRY_S
    assert waits[1:] == [module.POLL_S, module.POLL_S]
    assert keys_in(file) == ["r0", "r3"]
    assert file.load()[0] == 4


def test_a_worker_ends_with_its_parent_and_saves(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    ledger.add()
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.turn()
    run(worker, Event(), lambda: os.getppid() != -1)
    assert keys_in(file) == ["r0"]


def test_the_composed_worker_reads_a_real_ledger_to_its_end_and_goes_on_from_there(
    sqlite_template: Path, tmp_path: Path
) -> None:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    write_crm(tmp_path)
    anyio.run(work_a_morning, tmp_path)
    settings = settings_of(tmp_path)
    with SqlReader(database_url(settings)) as store, store.read() as view:
        size, _ = view.head()
    with open_worker(settings) as worker:
        run(worker, Rested(), lambda: False)
        assert worker.cursor == size
    with open_worker(settings) as worker:
        worker.rewind()
        assert (worker.cursor, worker.turn()) == (size, 0)


class Rested(Event):
    """Asks to stop as soon as there is nothing left to read."""

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.set()
        return True


def test_a_worker_that_ends_while_the_store_is_down_keeps_what_it_had(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    ledger.add()
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.save(at_once=True)
    ledger.add()
    ledger.is_down = True
    run(worker, Rested(), lambda: False)
    assert file.load()[0] == 1


def test_an_older_copy_of_the_ledger_is_learnt_anew_and_what_follows_is_judged(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    for _ in range(7):
        ledger.add()
    worker = a_worker(ledger, file, clock)
    worker.turn()
    worker.turn()
    worker.save(at_once=True)
    said = keys_in(file)
    del ledger.opened[4:]
    for _ in range(5):
        worker.turn()
    for _ in range(6):
        ledger.add()
    for _ in range(3):
        worker.turn()
    worker.save(at_once=True)
    assert keys_in(file)[: len(said)] == said
    assert (file.load()[0], seen_in(file)) == (10, {"north": 10})


def test_each_turn_forgets_the_keys_that_were_destroyed(
    ledger: Log, file: WorkerFile, clock: Ticking
) -> None:
    worker = a_worker(ledger, file, clock)
    ledger.add()
    worker.turn()
    worker.turn()
    assert ledger.refreshed == 2
