"""The tables of the log row by row, on both engines."""

from pathlib import Path

import pytest

from guard.entries import EntryKind
from guard.fsck import Kept, NothingForgotten, check_store
from guard.ledger.note import NoteSigner
from tests.support.log import settle
from tests.support.rig import Rig, make_caller
from tests.tamper.waiting import wait

pytestmark = pytest.mark.anyio


async def test_every_row_is_given_as_it_is(rig: Rig) -> None:
    refs = await rig.customers(2)
    for ref in refs:
        await rig.broker.view(make_caller("a1"), rig.asks(ref, await rig.case(ref)))
    settle(rig.store)
    with rig.store.read() as view:
        size, _ = view.head()
        rows = view.entry_rows(0, size + 1)
        assert [row.index for row in rows] == list(range(size))
        assert sorted(view.detail_rows(0, size)) == list(range(size))
        parts = view.subject_part_rows(0, size)
        assert {part.ref for part in parts} == set(refs)
        assert view.strays(size) == {}
        assert view.strays(size - 1)["entry"] == size - 1
        assert [row.size for row in view.head_rows()] == [size]
        assert view.subject_refs("", 10) == sorted(refs)
        alone = view.leaves_alone(refs)
        assert all(leaf[25] in {kind.value for kind in EntryKind} for _, leaf in alone[refs[0]])
        assert list(view.checkpoint_rows()) == []
        assert view.late_link_rows(0, size) == []


async def test_a_store_with_pending_entries_is_checked_on_both_engines(
    rig: Rig, tmp_path: Path
) -> None:
    refs = await rig.customers(2)
    await rig.broker.view(make_caller("a1"), rig.asks(refs[0], await rig.case(refs[0])))
    settle(rig.store)
    wait(rig.store, rig.keyring, tuple(refs), rig.clock.now())
    key = NoteSigner("t", rig.keyring.signing_key("t")).verifier
    kept = Kept(log_dir=tmp_path / "none")
    with rig.store.read() as view:
        report = check_store(view, rig.vault, key, kept, explained=NothingForgotten())
        (last,) = [row for row in view.pending_rows() if row.writer_seq == 2]
    assert report.faults == ()
    assert report.pending == 3
    assert last.body is not None
    assert last.body.refs == (refs[1],)
