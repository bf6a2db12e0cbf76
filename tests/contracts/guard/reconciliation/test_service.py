"""Counts of source reads in the log, and the alarms, on both engines."""

import asyncio

import pytest

from guard.admission import GroupCommitter
from guard.clock import MINUTE
from guard.entries import EntryKind, OpenedEntry
from guard.errors import SourceError
from guard.findings import FindingKind, Severity
from guard.ledger.entry import Sealer
from guard.ledger.receipts import ReceiptSigner
from guard.reconciliation import Reconciliation, reconcile
from guard.rows import AlertState
from guard.source_reads import ALLOWANCE, ReadCounter
from tests.contracts.guard.reconciliation.counting import GRACE_S, Counted, counted
from tests.support.people import AGENT, ANALYST
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio

FIELDS = frozenset({"email"})


def counts(rig: Rig) -> list[OpenedEntry]:
    return [e for e in rig.log() if e.kind is EntryKind.RECONCILIATION]


async def alarms(rig: Rig) -> list[tuple[FindingKind, Severity, tuple[str, ...]]]:
    rows = await rig.alerts.page(
        ANALYST, states=frozenset({AlertState.OPEN}), before=None, limit=10
    )
    return [(r.finding.kind, r.severity, r.finding.reasons) for r in rows]


async def viewed(made: Counted, count: int) -> None:
    (ref,) = await made.rig.customers(1)
    case = await made.rig.case(ref)
    for _ in range(count):
        await made.broker.view(AGENT, made.rig.asks(ref, case))


async def test_every_read_is_named_by_its_entry_and_the_count_says_so(rig: Rig) -> None:
    made = counted(rig)
    await made.reconciliation.count()
    assert counts(rig) == []
    await viewed(made, 3)
    views = [e.event.body["reads"] for e in rig.log() if e.kind is EntryKind.VIEW]
    assert views == [[0], [1], [2]]
    await made.reconciliation.count()
    await made.reconciliation.count()
    (count,) = counts(rig)
    body = count.event.body
    assert (body["reads"], body["entries"], body["lost"], body["open"]) == (3, 3, 0, [])
    assert body["sources"] == {"crm": 3}
    assert body["upto"] == 3 + ALLOWANCE
    assert await alarms(rig) == []


async def test_a_read_that_failed_and_one_that_was_given_up_have_their_entries(rig: Rig) -> None:
    made = counted(rig)
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    await made.source.close()
    with pytest.raises(SourceError):
        await made.broker.view(AGENT, rig.asks(ref, case))
    (failed,) = [e for e in rig.log() if e.kind is EntryKind.FAILED]
    assert failed.event.body["reads"] == [0]


async def test_a_read_beside_the_one_path_raises_one_alarm_when_its_time_is_over(
    rig: Rig,
) -> None:
    made = counted(rig)
    await viewed(made, 2)
    await made.source.fetch("1", FIELDS)
    await made.reconciliation.count()
    assert counts(rig)[-1].event.body["open"] == [2]
    assert await alarms(rig) == []
    made.mono.now = GRACE_S
    await made.reconciliation.count()
    await made.reconciliation.count()
    assert made.reconciliation.lost == 1
    last = counts(rig)[-1].event.body
    assert (last["reads"], last["entries"], last["lost"], last["open"]) == (3, 2, 1, [])
    ((kind, severity, reasons),) = await alarms(rig)
    assert (kind, severity) == (FindingKind.RECONCILIATION, Severity.HIGH)
    assert reasons[0].startswith("1 reads of sources have no entry")
    with rig.store.read() as view:
        (tally,) = reconcile(view, rig.vault)
    assert (tally.reads, tally.entries, tally.difference) == (3, 2, 1)


async def test_what_a_source_answered_to_somebody_else_raises_an_alarm(rig: Rig) -> None:
    made = counted(rig)
    await rig.source.fetch("1", FIELDS)
    await made.reconciliation.look_back(quiet=None)
    await viewed(made, 2)
    await made.reconciliation.count()
    assert await alarms(rig) == []
    await rig.source.fetch("1", FIELDS)
    await made.reconciliation.count()
    await made.reconciliation.count()
    assert counts(rig)[-1].event.body["around"] == {"crm": 1}
    ((_, _, reasons),) = await alarms(rig)
    assert reasons[0].startswith("source crm has answered 1 reads")


async def test_a_writer_that_ends_says_its_count_in_its_last_entry(rig: Rig) -> None:
    made = counted(rig)
    await viewed(made, 2)
    await asyncio.to_thread(rig.committer.close)
    last = rig.log()[-1]
    assert last.kind is EntryKind.WRITER_CLOSE
    assert last.event.body["reads"] == 2
    with rig.store.read() as view:
        (tally,) = reconcile(view, rig.vault)
    assert tally.is_closed
    assert (tally.reads, tally.difference, tally.bound) == (2, 0, 0)
    assert tally.in_words == "every read has its entry"


def successor(made: Counted) -> tuple[GroupCommitter, Reconciliation]:
    rig, writer = made.rig, b"afterward"[:8]
    committer = GroupCommitter(
        rig.store,
        Sealer(rig.vault, writer),
        ReceiptSigner.fresh(writer),
        clock=rig.clock,
        deadline_s=20.0,
    )
    return committer, Reconciliation(
        committer=committer,
        readers=rig.readers,
        clock=rig.clock,
        vault=rig.vault,
        alerts=rig.alerts,
        counter=ReadCounter(),
        sources={},
        writer=writer,
        grace_s=GRACE_S,
    )


async def test_what_a_dead_writer_left_open_is_bounded_and_told_once(rig: Rig) -> None:
    made = counted(rig)
    await viewed(made, 2)
    await made.reconciliation.count()
    counted_at = counts(rig)[-1].event.at
    await made.source.fetch("1", FIELDS)
    await viewed(made, 1)
    # From here on it is as if the process had been killed: the next one looks back.
    committer, reconciliation = successor(made)
    await asyncio.to_thread(committer.start)
    try:
        (dead,) = await reconciliation.look_back(quiet=None)
        assert await reconciliation.look_back(quiet=None) == []
        assert (dead.reads, dead.entries, dead.difference) == (4, 3, 1)
        assert dead.bound == 2 + ALLOWANCE - 4 + 1
        assert dead.since == counted_at
        assert dead.in_words.startswith(f"at most {dead.bound} reads since ")
        body = counts(rig)[-1].event.body["dead"]
        assert body == {
            "writer": dead.writer,
            "reads": 4,
            "entries": 3,
            "bound": dead.bound,
            "since": counted_at,
        }
        ((_, severity, reasons),) = await alarms(rig)
        assert severity is Severity.MEDIUM
        assert "1 of its reads have none" in reasons[0]
    finally:
        await asyncio.to_thread(committer.close)


async def test_a_writer_that_has_just_written_is_not_taken_for_dead(rig: Rig) -> None:
    made = counted(rig)
    await viewed(made, 1)
    committer, reconciliation = successor(made)
    await asyncio.to_thread(committer.start)
    try:
        assert await reconciliation.look_back(quiet=MINUTE) == []
        rig.clock.advance(2 * MINUTE)
        (dead,) = await reconciliation.look_back(quiet=MINUTE)
        assert dead.difference == 0
        assert await alarms(rig) == []
    finally:
        await asyncio.to_thread(committer.close)
