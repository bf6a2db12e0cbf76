"""Views that a late case may repair, on both engines."""

from dataclasses import replace

import msgspec
import pytest

from guard.clock import DAY, HOUR
from guard.entries import EntryKind, NewEntry
from policies.model import Link
from tests.support.makers import NOON, TENANT, make_entry, make_query
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio
ASKED = make_query(case_id=None)


def viewed(ref: str, link: Link, **changes: object) -> NewEntry:
    entry = make_entry(EntryKind.VIEW, ref)
    return replace(entry, event=msgspec.structs.replace(entry.event, link=link.value, **changes))


async def record(rig: Rig, *entries: NewEntry) -> list[int]:
    receipts = await rig.committer.run(lambda tx: [tx.record(entry) for entry in entries])
    return [rig.entry(receipt).index for receipt in receipts]


async def test_only_weak_views_of_this_agent_and_customer_are_found(rig: Rig) -> None:
    one, other = await rig.customers(2)
    indexes = await record(
        rig,
        *(viewed(one, link) for link in Link),
        viewed(one, Link.NONE, agent="a2"),
        viewed(one, Link.NONE, agent="a2", actor="a1"),
        viewed(other, Link.NONE),
    )
    names = list(Link)
    weak = [indexes[names.index(link)] for link in (Link.PENDING, Link.STALE, Link.NONE)]
    expected = sorted([*weak, indexes[len(names) + 1]], reverse=True)
    with rig.store.read() as view:
        found = view.unlinked_views(TENANT, one, "a1", 0, 50)
        assert [row.index for row in found] == expected
        assert [view.index_of(row.entry_id) for row in found] == expected
        assert view.unlinked_views(TENANT, one, "a1", rig.clock.now() + DAY, 50) == []
        assert len(view.unlinked_views(TENANT, one, "a1", 0, 2)) == 2
        assert view.unlinked_views("other", one, "a1", 0, 50) == []


async def test_a_repaired_view_is_found_as_such_and_not_again(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    first, second = await record(rig, viewed(ref, Link.NONE), viewed(ref, Link.PENDING))

    def repair(view_index: int, link: str) -> None:
        with rig.store.begin() as rows:
            rows.put_late_link(TENANT, view_index, link)

    rig.committer.close()
    repair(first, "owner")
    repair(first, "transfer")
    with rig.store.read() as view:
        assert view.late_links([first, second]) == {first: "owner"}
        assert view.late_links([]) == {}
        left = view.unlinked_views(TENANT, ref, "a1", 0, 50)
    assert [row.index for row in left] == [second]


async def test_since_when_an_agent_has_looked_without_a_link(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await record(rig, viewed(ref, Link.OWNER, at=NOON + 1))
    rig.clock.advance(HOUR)
    first = NOON + HOUR
    await record(rig, viewed(ref, Link.PENDING, at=first), viewed(ref, Link.NONE, at=first + 1))

    def since(at: int, agent: str = "a1") -> int | None:
        query = replace(ASKED, ref=ref, at=at, agent_id=agent)
        with rig.store.read() as view:
            return view.situations([query])[0].unlinked_since

    assert since(first + 2) == first
    assert since(first + DAY + 1) == first + 1
    assert since(first + 2 * DAY) is None
    assert since(first + 2, "a2") is None


async def test_a_repaired_look_was_never_without_a_link(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    (index,) = await record(rig, viewed(ref, Link.PENDING, at=NOON + 1))
    rig.committer.close()
    with rig.store.begin() as rows:
        rows.put_late_link(TENANT, index, "owner")
    with rig.store.read() as view:
        query = replace(ASKED, ref=ref, at=NOON + 2)
        assert view.situations([query])[0].unlinked_since is None
