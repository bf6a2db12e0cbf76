"""Reads against entries from the log alone, on both engines."""

from dataclasses import replace

import pytest

from guard.clock import DAY
from guard.entries import EntryKind
from guard.reconciliation import WriterReads, reconcile
from guard.reconciliation.tally import named
from guard.source_reads import ALLOWANCE
from tests.contracts.guard.reconciliation.counting import counted
from tests.support.makers import NOON, TENANT
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_damaged_entry_does_not_stop_the_count(rig: Rig) -> None:
    made = counted(rig)
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    for _ in range(2):
        await made.broker.view(AGENT, rig.asks(ref, case))
    rig.log()
    with rig.store.read() as view:
        (tally,) = reconcile(view, rig.vault)
        first, _ = view.writer_parts(bytes.fromhex(tally.writer), (EntryKind.VIEW,), -1, 10)
    assert tally.tenants == (TENANT,)
    damaged = replace(first, part=(*first.part[:4], b"\x00" * 80))
    assert list(named([first, damaged], rig.vault)) == [(0, TENANT)]


async def test_a_writer_that_never_counted_is_bounded_from_its_start(rig: Rig) -> None:
    made = counted(rig)
    (ref,) = await rig.customers(1)
    await made.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    rig.log()
    with rig.store.read() as view:
        (tally,) = reconcile(view, rig.vault)
        assert reconcile(view, rig.vault, since=NOON + DAY) == []
        writer = bytes.fromhex(tally.writer)
        assert reconcile(view, rig.vault, unclosed_but=frozenset({writer})) == []
    assert (tally.reads, tally.difference, tally.bound) == (1, 0, ALLOWANCE - 1)
    assert tally.since == tally.opened_at
    assert not tally.is_closed


def test_a_difference_is_said_in_words() -> None:
    one = WriterReads(
        writer="00", opened_at=0, is_closed=True, reads=5, entries=3, bound=2, since=0
    )
    assert one.difference == 2
    assert one.in_words == "at most 2 reads since 1970-01-01T00:00:00.000000Z"
    assert replace(one, entries=5, bound=0).in_words == "every read has its entry"
