"""One writer's entries by its own numbers, on both engines."""

import pytest

from guard.entries import EntryKind
from tests.support.makers import make_entry
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_writers_entries_are_followed_in_its_order(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    kinds = (EntryKind.VIEW, EntryKind.CASE, EntryKind.VIEW)
    receipts = await rig.committer.run(
        lambda tx: [tx.record(make_entry(kind, ref)) for kind in kinds]
    )
    rig.log()
    writer, seqs = bytes.fromhex(receipts[0].writer), [r.writer_seq for r in receipts]
    views = (EntryKind.VIEW,)
    with rig.store.read() as view:
        found = view.writer_parts(writer, views, -1, 10)
        assert [one.seq for one in found] == [seqs[0], seqs[2]]
        assert [one.part[1].hex() for one in found] == [
            receipts[0].entry_id,
            receipts[2].entry_id,
        ]
        assert [one.seq for one in view.writer_parts(writer, views, seqs[0], 10)] == [seqs[2]]
        assert [one.seq for one in view.writer_parts(writer, views, -1, 1)] == [seqs[0]]
        last = view.last_writer_part(writer, (EntryKind.CASE,))
        assert last is not None
        assert last.seq == seqs[1]
        assert view.last_writer_part(writer, (EntryKind.ERASURE,)) is None
        assert view.writer_parts(b"somebody", views, -1, 10) == []


async def test_a_dead_writer_is_noted_once(rig: Rig) -> None:
    def note(writer: bytes) -> frozenset[bytes]:
        with rig.store.begin() as rows:
            rows.put_accounted_writer(writer, 5)
            return rows.accounted_writers()

    rig.committer.close()
    assert note(b"deadbeef") == frozenset({b"deadbeef"})
