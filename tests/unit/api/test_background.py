import asyncio
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from api import background
from api.background import (
    anchor_forever,
    apply_forever,
    follow_forever,
    place_forever,
    publish_forever,
    reconcile_forever,
    remind_forever,
    watch_forever,
)
from api.metrics import Metrics
from api.outsiders import Outsiders
from guard.activations import Activations
from guard.admission import GroupCommitter
from guard.after_reviews import AfterReviews, Overdue
from guard.alerts import Alerts
from guard.entries import EntryKind
from guard.errors import (
    ConfigurationError,
    DurabilityError,
    ForkError,
    GuardError,
    ProofError,
    StoreUnavailableError,
)
from guard.findings import Severity
from guard.ledger.anchors import Anchors
from guard.ledger.backlog import TOO_MANY, Backlog
from guard.ledger.integrator import Integrator
from guard.ledger.outage import OutageWindow
from guard.ledger.publisher import Publisher
from guard.ports import Committer, Outbox, Readers
from guard.reconciliation import Reconciliation
from guard.rows import AlertState, OutboxItem, PendingSpan
from guard.source_reads import ReadCounter
from guard.store.tables import writer_gap
from guard.store.worker_file import WorkerFile
from tests.support.makers import TENANT
from tests.support.people import ANALYST, make_finding, put_people
from tests.support.rig import Rig
from tests.support.witnesses import Outside

pytestmark = pytest.mark.anyio
# A test that reaches it has failed.
PATIENCE_S = 20.0


class Turns:
    """Stands in for a publisher: each turn does what the test said, then rings at the last."""

    def __init__(self, *turns: Exception | None) -> None:
        self.left = list(turns)
        self.all_taken = asyncio.Event()
        self.times: list[int] = []

    async def publish_once(self, _readers: Readers, _committer: Committer, now: int) -> None:
        self.times.append(now)
        turn = self.left.pop(0) if self.left else None
        if not self.left:
            self.all_taken.set()
        if turn is not None:
            raise turn


def publishing(rig: Rig, turns: Turns) -> asyncio.Task[None]:
    work = publish_forever(cast("Publisher", turns), rig.readers, rig.committer, rig.clock, 0)
    return asyncio.create_task(work)


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_checkpoint_is_published_again_and_again(rig: Rig) -> None:
    turns = Turns(None, None, None)
    task = publishing(rig, turns)
    await asyncio.wait_for(turns.all_taken.wait(), PATIENCE_S)
    await cancel(task)
    assert turns.times[:3] == [rig.clock.now()] * 3


@pytest.mark.parametrize(
    "outage", [StoreUnavailableError("the disk is full"), OSError(28, "No space left on device")]
)
async def test_an_outage_passes_and_is_said(rig: Rig, outage: Exception) -> None:
    turns = Turns(outage, None)
    with capture_logs() as lines:
        task = publishing(rig, turns)
        await asyncio.wait_for(turns.all_taken.wait(), PATIENCE_S)
        await cancel(task)
    assert lines == [
        {
            "event": "background.failed",
            "log_level": "warning",
            "name": "checkpoint",
            "error": type(outage).__name__,
        }
    ]


async def test_after_a_fork_nothing_is_signed_any_more(rig: Rig) -> None:
    turns = Turns(ForkError("the store holds another history"), None)
    with capture_logs() as lines, pytest.raises(ForkError):
        await asyncio.wait_for(publishing(rig, turns), PATIENCE_S)
    assert len(turns.times) == 1
    assert [(line["event"], line["log_level"]) for line in lines] == [("ledger.forked", "critical")]


async def test_an_error_that_nobody_expected_passes_like_any_other(rig: Rig) -> None:
    with pytest.raises(ForkError):
        await asyncio.wait_for(publishing(rig, Turns(OSError(), ForkError())), PATIENCE_S)


async def test_after_a_fork_nothing_more_is_admitted(rig: Rig) -> None:
    with pytest.raises(ForkError):
        await asyncio.wait_for(publishing(rig, Turns(ForkError())), PATIENCE_S)
    with pytest.raises(StoreUnavailableError):
        await rig.committer.run(lambda tx: tx.rows.head())
    assert not rig.committer.is_alive


async def test_a_disk_that_lost_what_it_took_is_not_written_any_more(rig: Rig) -> None:
    with capture_logs() as lines, pytest.raises(DurabilityError):
        await asyncio.wait_for(publishing(rig, Turns(DurabilityError("lost"))), PATIENCE_S)
    assert [(line["event"], line["log_level"]) for line in lines] == [("disk.failed", "critical")]
    assert not rig.committer.is_alive


class Kept(Turns):
    """Rings when the right was kept between two turns."""

    async def keep(self) -> None:
        self.all_kept.set()

    all_kept = asyncio.Event()


async def test_between_rare_checkpoints_the_right_is_kept(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "KEEP_S", 0)
    turns = Kept()
    work = publish_forever(cast("Publisher", turns), rig.readers, rig.committer, rig.clock, 300)
    task = asyncio.create_task(work)
    await asyncio.wait_for(turns.all_kept.wait(), PATIENCE_S)
    await cancel(task)
    assert len(turns.times) == 1


class Placing:
    """Stands in for the integrator's thread: says at which look it has ended, and by what."""

    def __init__(self, looks: int, ended: GuardError) -> None:
        self.left, self.ended = looks, ended

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.ended


CHANGED = ForkError("pending entry 3 was changed")


async def place(
    rig: Rig, looks: int, ended: GuardError = CHANGED
) -> tuple[Metrics, list[MutableMapping[str, Any]]]:
    """Look so often, then find a change."""
    metrics = Metrics()
    with capture_logs() as lines, pytest.raises(type(ended)):
        await place_forever(
            cast("Integrator", Placing(looks, ended)),
            rig.readers,
            rig.committer,
            rig.clock,
            (Backlog(), metrics),
        )
    return metrics, lines


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PLACING_INTERVAL_S", 0)


@pytest.mark.usefixtures("no_wait")
async def test_a_changed_pending_entry_stops_the_writer(rig: Rig) -> None:
    _, lines = await place(rig, 1)
    assert [(line["event"], line["name"]) for line in lines] == [("ledger.forked", "placing")]
    assert not rig.committer.is_alive


@pytest.mark.usefixtures("no_wait")
async def test_a_disk_that_fails_the_integrator_stops_the_writer(rig: Rig) -> None:
    _, lines = await place(rig, 1, DurabilityError("lost"))
    assert [line["event"] for line in lines] == ["disk.failed"]
    assert not rig.committer.is_alive


@pytest.mark.usefixtures("no_wait")
async def test_a_gap_is_told_once_by_an_entry_a_line_and_a_metric(rig: Rig) -> None:
    with rig.store._opened() as (connection, _):  # noqa: SLF001 - what the integrator has met
        connection.execute(insert(writer_gap).values(writer=b"writer-1", first=3, before=5))
        connection.commit()
    metrics, lines = await place(rig, 3)
    (line,) = [line for line in lines if line["event"] == "ledger.gap"]
    assert (line["writer"], line["position"], line["count"]) == (b"writer-1".hex(), 3, 2)
    assert b"recordguard_log_gaps_total 1.0" in metrics.expose()
    (told,) = [entry for entry in rig.log() if entry.kind is EntryKind.GAP]
    assert told.event.body == {"writer": b"writer-1".hex(), "first": 3, "before": 5}


@pytest.mark.usefixtures("no_wait")
async def test_far_behind_no_view_is_admitted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [PendingSpan(1, TOO_MANY + 1), PendingSpan(1, TOO_MANY + 1), PendingSpan(9, 9)]
    held: list[bool] = []

    async def read(_look: object) -> tuple[PendingSpan, bool]:
        held.append(bool(rig.committer._holds))  # noqa: SLF001 - what admits no view now
        return spans.pop(0), False

    monkeypatch.setattr(rig.readers, "read", read)
    metrics, lines = await place(rig, 3)
    assert held == [False, True, True]
    assert not rig.committer._holds  # noqa: SLF001 - as above
    said = [line["status"] for line in lines if line["event"] == "ledger.lag"]
    assert said == ["too_far", "none"]
    assert b"recordguard_log_pending 1.0" in metrics.expose()


class CountedAlerts:
    """Real alerts that ring after as many items as the test waits for."""

    def __init__(self, inner: Alerts, wanted: int) -> None:
        self._inner, self._wanted = inner, wanted
        self.batches: list[list[int]] = []
        self.enough = asyncio.Event()

    async def apply(self, worker: str, items: Sequence[OutboxItem]) -> int:
        self.batches.append([item.position for item in items])
        count = await self._inner.apply(worker, items)
        if sum(map(len, self.batches)) >= self._wanted:
            self.enough.set()
        return count


@pytest.fixture
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerFile:
    monkeypatch.setattr(background, "OUTBOX_INTERVAL_S", 0)
    return WorkerFile(tmp_path / "worker.db")


async def apply_all(
    rig: Rig, outbox: Outbox, wanted: int, more: Callable[[], None] = lambda: None
) -> CountedAlerts:
    alerts = CountedAlerts(rig.alerts, wanted)
    task = asyncio.create_task(apply_forever(outbox, rig.readers, cast("Alerts", alerts)))
    more()
    await asyncio.wait_for(alerts.enough.wait(), PATIENCE_S)
    await cancel(task)
    return alerts


async def test_what_the_worker_found_becomes_an_alert(rig: Rig, outbox: WorkerFile) -> None:
    await put_people(rig)
    outbox.commit(1, {}, [(TENANT, make_finding(Severity.HIGH))])
    await apply_all(rig, outbox, 1)
    rows = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=10)
    assert [row.finding.agent_ids for row in rows] == [("a1",)]


async def test_after_a_restart_only_what_is_new_is_applied(rig: Rig, outbox: WorkerFile) -> None:
    await put_people(rig)
    outbox.commit(1, {}, [(TENANT, make_finding(Severity.HIGH))])
    await apply_all(rig, outbox, 1)
    outbox.commit(2, {}, [(TENANT, make_finding(Severity.HIGH, ("ben",)))])
    alerts = await apply_all(rig, outbox, 1)
    assert alerts.batches == [[2]]


async def test_a_long_outbox_is_applied_in_pieces(
    rig: Rig, outbox: WorkerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "OUTBOX_BATCH", 2)
    await put_people(rig)
    outbox.commit(1, {}, [(TENANT, make_finding(Severity.MEDIUM))] * 3)
    alerts = await apply_all(rig, outbox, 3)
    assert alerts.batches == [[1, 2], [3]]


class Following:
    """Stands in for the activations of a process that follows: each turn as the test said."""

    def __init__(self, *turns: Exception | None) -> None:
        self.left = list(turns)
        self.all_taken = asyncio.Event()

    async def follow(self) -> None:
        turn = self.left.pop(0) if self.left else None
        if not self.left:
            self.all_taken.set()
        if turn is not None:
            raise turn


async def test_policies_are_followed_through_an_outage(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "POLICY_INTERVAL_S", 0)
    turns = Following(None, StoreUnavailableError("gone"), None)
    task = asyncio.create_task(follow_forever(cast("Activations", turns), rig.committer))
    await asyncio.wait_for(turns.all_taken.wait(), PATIENCE_S)
    await cancel(task)
    assert rig.committer.is_alive


async def test_a_policy_that_cannot_be_used_here_stops_what_it_would_have_decided(rig: Rig) -> None:
    turns = Following(ConfigurationError("policy `pol-1` was changed in the store"))
    with capture_logs() as lines, pytest.raises(ConfigurationError):
        await follow_forever(cast("Activations", turns), rig.committer)
    assert [line["event"] for line in lines] == ["policy.unusable"]
    assert not rig.committer.is_alive


def test_other_processes_decide_by_a_new_policy_well_within_a_second() -> None:
    assert background.POLICY_INTERVAL_S <= 0.5


class Reminders:
    """Stands in for the reviews: fails once, then finds some overdue."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_told = asyncio.Event()

    async def tell(self) -> Overdue:
        self.asked += 1
        if self.asked == 1:
            raise StoreUnavailableError("the store is busy, try again")
        if self.asked == 3:
            self.is_told.set()
        return Overdue(break_glass=2, rollbacks=1)


async def test_overdue_reviews_are_counted_for_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "REVIEWS_INTERVAL_S", 0)
    reminders, metrics = Reminders(), Metrics()
    task = asyncio.create_task(remind_forever(cast("AfterReviews", reminders), metrics))
    await asyncio.wait_for(reminders.is_told.wait(), PATIENCE_S)
    await cancel(task)
    shown = metrics.expose()
    assert b'recordguard_reviews_overdue{what="break_glass"} 2.0' in shown
    assert b'recordguard_reviews_overdue{what="policy_rollback"} 1.0' in shown


class Counts:
    """Stands in for a reconciliation: the first count fails, the third rings."""

    def __init__(self) -> None:
        self.asked, self.lost = 0, 3
        self.is_told = asyncio.Event()

    async def count(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise StoreUnavailableError("the store is busy, try again")
        if self.asked == 3:
            self.is_told.set()


async def test_source_reads_are_counted_again_and_again() -> None:
    counts, metrics = Counts(), Metrics()
    work = reconcile_forever(cast("Reconciliation", counts), ReadCounter(), metrics, 0.001)
    task = asyncio.create_task(work)
    await asyncio.wait_for(counts.is_told.wait(), PATIENCE_S)
    await cancel(task)
    assert b"recordguard_source_reads_unaccounted 3.0" in metrics.expose()


async def test_many_reads_bring_the_count_forward() -> None:
    counts, counter = Counts(), ReadCounter(allowance=4)
    work = reconcile_forever(cast("Reconciliation", counts), counter, Metrics(), 1_000.0)
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    while counts.asked < 2:
        if counter.total < 4:
            counter.take("crm")
        counter.on_low()
        await asyncio.sleep(0)
    await cancel(task)


class Stamped:
    """Stands in for anchors: each turn answers as the test said, then rings at the last."""

    def __init__(self, *turns: int | Exception | None) -> None:
        self.left = list(turns)
        self.all_taken = asyncio.Event()

    async def turn(self) -> int | None:
        turn = self.left.pop(0) if self.left else None
        if not self.left:
            self.all_taken.set()
        if isinstance(turn, Exception):
            raise turn
        return turn


async def test_anchors_are_told_and_a_bad_one_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "ANCHOR_INTERVAL_S", 0)
    stamped = Stamped(ProofError("time stamp does not verify"), None, 7, None)
    with capture_logs() as lines:
        task = asyncio.create_task(anchor_forever(cast("Anchors", stamped)))
        await asyncio.wait_for(stamped.all_taken.wait(), PATIENCE_S)
        await cancel(task)
    assert [(line["event"], line.get("size")) for line in lines] == [
        ("background.failed", None),
        ("log.anchored", 7),
    ]


async def test_an_outage_is_told_once_and_holds_views_back_where_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "WATCH_INTERVAL_S", 0)
    window = OutageWindow("quorum", tmp_path / "outage", 10)
    monkeypatch.setattr(Outsiders, "outages", lambda _self: {"witnesses": window})
    outsiders = Outsiders(client=Outside(), cosigner=None, anchors=None, fails_closed=True)
    metrics, held, done = Metrics(), list[str](), asyncio.Event()
    # At 0 it fails, from 10 on for too long; then it works again.
    times = iter([5, 9, 10, 11, 12])

    class Held:
        def hold(self, by: str, why: str) -> None:
            assert by == "outsiders"
            held.append(why)
            if len(held) == 4:
                window.met()
            if len(held) == 5:
                done.set()

    def wall() -> int:
        return next(times, 13)

    window.missed(0)
    with capture_logs() as lines:
        work = watch_forever(outsiders, cast("GroupCommitter", Held()), metrics, wall)
        task = asyncio.create_task(work)
        await asyncio.wait_for(done.wait(), PATIENCE_S)
        await cancel(task)
    assert [bool(one) for one in held[:5]] == [False, False, True, True, False]
    assert [line["outcome"] for line in lines] == ["failing", "ok"]
    assert b'recordguard_outage_seconds{what="witnesses"} 0.0' in metrics.expose()
