from dataclasses import replace

import pytest

from api import replaying
from api.replaying import is_erased, opened_entries, stored_pages
from guard.entries import EntryKind, StoredEntry
from guard.ledger.merkle import HASH_SIZE
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.tampered import tampered

pytestmark = pytest.mark.anyio


async def test_pages_hold_the_whole_log_once_and_in_order(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "PAGE", 2)
    await rig.customers(3)
    await rig.directory.put(make_caller("hr"), [row_of(make_caller(f"a{n}")) for n in range(4)])
    with rig.store.read() as view:
        pages = list(stored_pages(view))
        size, _ = view.head()
    assert size > 2
    assert all(1 <= len(page) <= 2 for page in pages)
    assert [entry.index for page in pages for entry in page] == list(range(size))


async def test_reading_may_begin_in_the_middle(rig: Rig) -> None:
    await rig.directory.put(make_caller("hr"), [row_of(make_caller(f"a{n}")) for n in range(4)])
    with rig.store.read() as view:
        assert next(stored_pages(view, 2))[0].index == 2


async def test_entries_are_opened_with_their_customers(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await rig.broker.view(make_caller(), rig.asks(ref, await rig.case(ref)))
    with rig.store.read() as view:
        views = [e for e in opened_entries(view, rig.vault) if e.kind is EntryKind.VIEW]
    assert [part.customer for entry in views for part in entry.subjects if part] == [ref]


async def test_an_entry_erased_with_its_agent_is_left_out(rig: Rig) -> None:
    await rig.directory.put(make_caller("hr"), [row_of(make_caller())])
    with rig.store.read() as view:
        whole = [entry.index for entry in opened_entries(view, rig.vault)]
        less = tampered(view, lambda e: erased(e) if e.index == whole[-1] else e)
        assert [entry.index for entry in opened_entries(less, rig.vault)] == whole[:-1]


async def test_only_a_hash_without_detail_is_an_erasure(rig: Rig) -> None:
    with rig.store.read() as view:
        (entry,) = view.entries(0, 1)
    assert is_erased(erased(entry))
    assert not is_erased(entry)
    # Not even the hash is left: that is a loss, which opening the entry reports.
    assert not is_erased(replace(entry, sealed_event=None))


def erased(entry: StoredEntry) -> StoredEntry:
    return replace(entry, sealed_event=(entry.sealed_event or b"")[:HASH_SIZE])
