"""Pushing a sink on both engines: in order, at least once, by one process, whatever breaks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from guard.clock import SECOND
from guard.entries import EntryKind, OpenedEntry
from guard.errors import ConflictError, NotDeliveredError
from guard.exports import Source
from guard.findings import Severity
from guard.rows import OutboxItem
from guard.sinks import DeclaredSink, Event, Pusher, pushing
from guard.sinks.pushing import LEASE, LONGEST_WAIT, wait_after
from guard.sinks.rendering import SinkKind
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import AGENT, make_finding
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


class KilledError(Exception):
    """The process ends here."""


@dataclass
class MemorySink:
    """Takes events, until it is told not to."""

    window: int = 3
    taken: list[Event] = field(default_factory=list)
    # What the next deliveries do instead of being taken; a kill comes after the events arrived.
    fates: list[Exception | None] = field(default_factory=list)

    async def deliver(self, events: Sequence[Event]) -> None:
        fate = self.fates.pop(0) if self.fates else None
        if isinstance(fate, NotDeliveredError):
            raise fate
        self.taken.extend(events)
        if fate is not None:
            raise fate

    async def close(self) -> None: ...

    def indexes(self) -> list[int]:
        return [json.loads(event.body)["index"] for event in self.taken]


def declared(sink: MemorySink, **changes: Any) -> DeclaredSink:  # noqa: ANN401 - any field
    made = DeclaredSink(
        name="siem",
        tenant=TENANT,
        kind=SinkKind.NDJSON_FILE,
        format="ndjson",
        sink=sink,
        digest="d1",
        from_start=True,
    )
    return replace(made, **changes)


def pusher(rig: Rig, one: DeclaredSink, holder: str = "p1") -> Pusher:
    return Pusher(
        one,
        committer=rig.committer,
        readers=rig.readers,
        clock=rig.clock,
        vault=rig.vault,
        source=Source(origin="t", version="0"),
        holder=holder,
    )


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "BATCH", 5)


async def filled(rig: Rig, views: int = 4) -> list[str]:
    refs = await rig.customers(2)
    cases = [await rig.case(ref) for ref in refs]
    for n in range(views):
        await rig.broker.view(AGENT, rig.asks(refs[n % 2], cases[n % 2]))
    return refs


async def drained(one: Pusher) -> None:
    while (await one.push_once()).behind:
        pass


def own(rig: Rig) -> list[OpenedEntry]:
    return [e for e in rig.log() if e.event.tenant == TENANT]


async def test_everything_is_pushed_once_in_order_and_then_what_comes(rig: Rig) -> None:
    await filled(rig)
    expected = [e.index for e in own(rig)]
    sink = MemorySink()
    one = pusher(rig, declared(sink))
    await drained(one)
    assert sink.indexes() == expected
    await filled(rig, 1)
    await drained(one)
    looks = [e.index for e in own(rig) if e.event.agent != "system"]
    assert sink.indexes() == looks


async def test_a_new_sink_gets_what_comes_unless_it_asks_for_all(rig: Rig) -> None:
    await filled(rig)
    # All of it has its place before the sink is declared.
    rig.log()
    sink = MemorySink()
    one = pusher(rig, declared(sink, from_start=False))
    await drained(one)
    assert sink.taken == []
    before = len(rig.log())
    await filled(rig, 1)
    await drained(one)
    assert min(sink.indexes()) >= before


async def test_a_kill_after_delivery_repeats_under_the_same_ids_and_loses_nothing(rig: Rig) -> None:
    await filled(rig)
    expected = [e.entry_id for e in own(rig)]
    sink = MemorySink(fates=[None, KilledError()])
    with pytest.raises(KilledError):
        await drained(pusher(rig, declared(sink)))
    rig.clock.advance(LEASE + 1)
    await drained(pusher(rig, declared(sink), "p2"))
    got = [event.entry_id for event in sink.taken]
    assert list(dict.fromkeys(got)) == expected
    assert len(got) > len(expected)


async def test_a_sink_that_fails_is_left_alone_longer_each_time(rig: Rig) -> None:
    await filled(rig)
    expected = [e.index for e in own(rig)]
    no = NotDeliveredError("no")
    sink = MemorySink(fates=[None, no, no, no])
    one = pusher(rig, declared(sink))
    first = await one.push_once()
    assert (first.taken, first.failures) == (3, 1)
    assert (await one.push_once()).taken == 0
    for failures in (2, 3):
        rig.clock.advance(wait_after(failures - 1))
        turn = await one.push_once()
        assert (turn.taken, turn.failures) == (0, failures)
        assert turn.behind > 0
    rig.clock.advance(wait_after(3))
    await drained(one)
    assert (await one.push_once()).failures == 0
    assert sink.indexes() == expected


def test_no_wait_is_longer_than_the_longest() -> None:
    assert [wait_after(n) for n in (1, 2, 3)] == [2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert {wait_after(n) for n in (20, 10_000)} == {LONGEST_WAIT}


async def test_one_process_pushes_and_another_takes_over(rig: Rig) -> None:
    await filled(rig)
    sink = MemorySink()
    first, second = pusher(rig, declared(sink)), pusher(rig, declared(sink), "p2")
    await first.push_once()
    assert (await second.push_once()).taken == 0
    rig.clock.advance(LEASE + 1)
    assert (await second.push_once()).taken > 0
    # The first was only slow: it has lost the sink and moves nothing any more.
    assert (await first.push_once()).taken == 0
    await drained(second)
    assert sink.indexes() == [e.index for e in own(rig) if e.event.agent != "system"]


@dataclass
class SlowSink(MemorySink):
    """Takes half a lease for each window, and its `rival` tries to push after it.

    `meanwhile` pushes in the first window, after a whole lease.
    """

    rig: Rig | None = None
    rival: Pusher | None = None
    meanwhile: Pusher | None = None

    async def deliver(self, events: Sequence[Event]) -> None:
        await super().deliver(events)
        assert self.rig is not None
        if self.meanwhile is not None:
            rival, self.meanwhile = self.meanwhile, None
            self.rig.clock.advance(LEASE + 1)
            await rival.push_once()
        self.rig.clock.advance(LEASE // 2 - 1)
        if self.rival is not None:
            assert (await self.rival.push_once()).taken == 0


async def test_a_lease_is_kept_through_a_turn_that_takes_longer(rig: Rig) -> None:
    await filled(rig)
    rival = pusher(rig, declared(MemorySink()), "p2")
    sink, before = SlowSink(window=1, rig=rig, rival=rival), rig.clock.now()
    assert (await pusher(rig, declared(sink)).push_once()).taken == 5
    assert rig.clock.now() - before > 2 * LEASE


async def test_who_has_lost_the_sink_in_a_turn_sends_no_more_of_it(rig: Rig) -> None:
    await filled(rig)
    taken_over = MemorySink(window=5)
    rival = pusher(rig, declared(taken_over), "p2")
    sink = SlowSink(window=1, rig=rig, meanwhile=rival)
    await pusher(rig, declared(sink)).push_once()
    assert len(sink.taken) == 1
    assert len(taken_over.taken) == 5
    await drained(rival)
    assert taken_over.indexes() == [e.index for e in own(rig) if e.event.agent != "system"]


async def test_only_what_was_asked_for_is_pushed(rig: Rig) -> None:
    await filled(rig)
    views = [e.index for e in own(rig) if e.kind is EntryKind.VIEW]
    for name, change, expected in (
        ("a", {"kinds": (EntryKind.VIEW,)}, views),
        ("b", {"kinds": (EntryKind.VIEW,), "vendor": "vend"}, views),
        ("c", {"kinds": (EntryKind.VIEW,), "vendor": "other"}, []),
        ("d", {"tenant": "other"}, []),
        ("e", {"kinds": (EntryKind.VIEW,), "region": AGENT.region}, views),
        ("f", {"kinds": (EntryKind.VIEW,), "region": "elsewhere"}, []),
    ):
        sink = MemorySink()
        await drained(pusher(rig, declared(sink, name=name, **change)))
        assert sink.indexes() == expected


async def test_nobody_is_named_unless_it_is_declared_and_then_listed_first(rig: Rig) -> None:
    refs = await filled(rig)
    sink = MemorySink()
    await drained(pusher(rig, declared(sink, kinds=(EntryKind.VIEW,))))
    assert not any(ref.encode() in event.body for ref in refs for event in sink.taken)
    listed = [e for e in rig.log() if e.kind is EntryKind.EXPORT]
    assert [(e.event.body["sink"], e.event.body["state"], e.refs) for e in listed] == [
        ("siem", "declared", ())
    ]
    sink = MemorySink()
    naming = declared(sink, kinds=(EntryKind.VIEW,), customers=True, digest="d2", name="bus")
    await drained(pusher(rig, naming))
    batch = [e for e in rig.log() if e.kind is EntryKind.EXPORT][-1]
    assert set(batch.refs) == set(refs)
    assert (batch.event.body["sink"], batch.event.body["rows"]) == ("bus", 4)


async def test_a_sink_that_names_customers_goes_on_after_an_erasure(
    rig: Rig, tmp_path: Path
) -> None:
    refs = await filled(rig)
    sink = MemorySink()
    one = pusher(rig, declared(sink, customers=True))
    await one.push_once()
    await Oblivion.over(rig, tmp_path).forget(refs[0])
    await drained(one)
    assert set(sink.indexes()) == {e.index for e in own(rig) if e.kind is not EntryKind.EXPORT}
    listed = [e for e in rig.log() if e.kind is EntryKind.EXPORT][-1]
    assert refs[0] not in listed.refs


async def test_who_is_erased_before_a_batch_is_recorded_is_not_sent_opened(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = await filled(rig)
    rig.log()
    sink = MemorySink()
    one = pusher(rig, declared(sink, customers=True, kinds=(EntryKind.VIEW,)))
    Oblivion.over(rig, tmp_path).forget_after_reading(monkeypatch, refs[0])
    with pytest.raises(ConflictError):
        await one.push_once()
    assert sink.taken == []
    await drained(one)
    told = [json.loads(event.body)["subjects"][0] for event in sink.taken]
    assert [part["customer"] for part in told if part.get("erased")] == [refs[0]] * 2


async def test_naming_customers_does_not_cause_the_next_push(rig: Rig) -> None:
    await filled(rig)
    sink = MemorySink()
    one = pusher(rig, declared(sink, customers=True))
    for _ in range(20):
        await one.push_once()
    size = len(rig.log())
    for _ in range(3):
        assert (await one.push_once()).taken == 0
    assert len(rig.log()) == size


async def test_a_changed_declaration_is_an_entry(rig: Rig) -> None:
    await filled(rig, 1)
    for digest in ("d1", "d1", "d2"):
        await pusher(rig, declared(MemorySink(), digest=digest)).push_once()
    noted = [e.event.body["digest"] for e in rig.log() if e.event.body.get("state") == "declared"]
    assert noted == ["d1", "d2"]


async def test_an_alert_is_pushed_as_a_detection_finding(rig: Rig) -> None:
    item = OutboxItem(position=1, tenant=TENANT, finding=make_finding(Severity.HIGH))
    await rig.alerts.apply("w", [item])
    sink = MemorySink()
    await drained(pusher(rig, declared(sink, format="ocsf")))
    findings = [json.loads(e.body) for e in sink.taken if b'"class_uid":2004' in e.body]
    assert len(findings) == 1
    assert findings[0]["type_uid"] == 200401
