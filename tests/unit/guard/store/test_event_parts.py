from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.rows import PartQuery
from guard.store import SqlStore
from tests.support.makers import NOON, TENANT, make_entry, make_subject
from tests.support.sealing import PlainSealer, opened_event

QUERY = PartQuery(
    tenant=TENANT, kinds=(EntryKind.VIEW, EntryKind.REFUSAL), size=9, since=0, until=NOON + 9
)


@pytest.fixture
def log(sqlite_store: SqlStore) -> SqlStore:
    """Five entries: two views of two customers, a case, another tenant's view, a late refusal."""
    new = [
        make_entry(EntryKind.VIEW, "c1"),
        make_entry(EntryKind.CASE, "c1"),
        make_entry(EntryKind.VIEW, "c2", "c1"),
        make_entry(EntryKind.VIEW, tenant="other"),
        make_entry(EntryKind.REFUSAL, at=NOON + 5),
    ]
    sealer = PlainSealer()
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject("c1"), make_subject("c2")])
        subjects, next_n = rows.lock_subjects({"c1", "c2"}), dict[str, int]()
        rows.append(
            [
                sealer.seal(entry, writer_seq=n, subjects=subjects, next_n=next_n)
                for n, entry in enumerate(new)
            ]
        )
    return sqlite_store


def test_parts_come_in_order_of_the_log_and_in_pieces(log: SqlStore) -> None:
    with log.read() as view:
        parts = view.event_parts(QUERY, -1, 2)
        assert [position for position, *_ in parts] == [0, 2]
        assert [position for position, *_ in view.event_parts(QUERY, 2, 2)] == [4]
        assert view.event_parts(QUERY, 4, 2) == []
        _, entry_id, kind, epoch, sealed = parts[0]
        assert (kind, epoch, len(entry_id)) == (EntryKind.VIEW, "2026-11", 16)
        assert sealed is not None
        assert opened_event(sealed)["agent"] == "a1"


def test_kinds_time_and_size_bound_what_is_read(log: SqlStore) -> None:

    with log.read() as view:
        for narrow, found in (
            (replace(QUERY, kinds=(EntryKind.REFUSAL,)), [4]),
            (replace(QUERY, since=NOON + 1), [4]),
            (replace(QUERY, until=NOON + 5), [0, 2]),
            (replace(QUERY, size=2), [0]),
            (replace(QUERY, tenant="nobody"), []),
        ):
            assert [position for position, *_ in view.event_parts(narrow, -1, 9)] == found


def test_the_customers_of_entries_are_found_by_position(log: SqlStore) -> None:
    with log.read() as view:
        assert view.refs_of([2, 4]) == {2: ("c2", "c1"), 4: ()}
        assert view.refs_of([]) == {}
