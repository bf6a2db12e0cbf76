"""What one agent did, counted by day, on both engines."""

from dataclasses import replace

import msgspec
import pytest

from guard.clock import DAY
from guard.entries import EntryKind, NewEntry
from guard.rows import ActivityRow
from tests.support.makers import TENANT, make_entry
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


def acted(kind: EntryKind, ref: str, **changes: object) -> NewEntry:
    entry = make_entry(kind, ref)
    named: dict[str, object] = {"agent": "a1"} | changes
    return replace(entry, event=msgspec.structs.replace(entry.event, **named))


async def test_like_acts_of_a_day_are_one_row(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    entries = [
        acted(EntryKind.VIEW, ref, link="owner"),
        acted(EntryKind.VIEW, ref, link="owner"),
        acted(EntryKind.VIEW, ref, link="none"),
        acted(EntryKind.CASE, ref),
        acted(EntryKind.VIEW, ref, agent="a2"),
    ]
    await rig.committer.run(lambda tx: [tx.record(entry) for entry in entries])
    rig.log()
    now = rig.clock.now()
    kinds = (EntryKind.VIEW,)
    with rig.store.read() as view:
        found = view.activity(TENANT, "a1", kinds, 0, now + DAY)
        assert [(row.link, row.count) for row in found] == [("none", 1), ("owner", 2)]
        assert {row.day for row in found} == {now // DAY * DAY}
        assert all(isinstance(row, ActivityRow) for row in found)
        assert view.activity(TENANT, "a1", kinds, now + DAY, now + 2 * DAY) == []
        assert view.activity("other", "a1", kinds, 0, now + DAY) == []
