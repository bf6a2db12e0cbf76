"""What every store must do with the log, on each engine."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from guard.entries import UNPLACED, EntryKind, SealedEntry
from guard.errors import ConflictError, ForkError
from guard.ledger.merkle import CompactRange
from guard.rows import LogQuery
from guard.store import SqlStore
from guard.store.engine import parse
from tests.support.log import settle
from tests.support.makers import NOON, TENANT, make_entry, make_subject
from tests.support.sealing import PlainSealer

SEALER = PlainSealer(b"writer-1")
SUBJECTS = {ref: make_subject(ref) for ref in ("c1", "c2")}


def sealed(seq: int, *refs: str, kind: EntryKind = EntryKind.VIEW, **event: object) -> SealedEntry:
    new = make_entry(kind, *refs, **({"at": NOON + seq} | event))
    return SEALER.seal(new, writer_seq=seq, subjects=SUBJECTS, next_n={})


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    entries = [
        sealed(0, "c1"),
        sealed(1, "c2", agent="a2", would="refused", mode="mask"),
        sealed(2, "c1", "c2", kind=EntryKind.EXPORT, agent="a2", team="team-2"),
        sealed(3, kind=EntryKind.BUNDLE, vendor="other", purpose=""),
        sealed(4, "c1", tenant="other"),
        sealed(5, "c1", kind=EntryKind.REFUSAL, would="refused", mode="mask"),
    ]
    with store.begin() as rows:
        rows.add_subjects(list(SUBJECTS.values()))
        rows.append(entries[:2])
        rows.append([])
        rows.append(entries[2:])
    settle(store)
    return store


def found(store: SqlStore, **query: object) -> list[int]:
    with store.read() as view:
        return [one.index for one in view.search(LogQuery(tenant=TENANT, **query))]  # type: ignore[arg-type]  # fields by name


def test_indexes_are_contiguous_and_the_head_covers_them(filled: SqlStore) -> None:
    with filled.read() as view:
        size, hashes = view.head()
        tree = CompactRange()
        for leaf in view.leaf_hashes(0, size):
            tree.append(leaf)
        assert (size, hashes) == (6, tree.hashes)
        assert list(view.leaf_hashes(1, 3)) == [one.leaf_hash for one in view.entries(1, 2)]
        assert list(view.leaf_hashes(3, 3)) == []
        assert view.newest_at() == NOON + 5


def test_an_entry_is_found_by_its_id_as_soon_as_it_is_durable(filled: SqlStore) -> None:
    original = sealed(6, "c2", "c1")
    with filled.begin() as rows:
        rows.append([original])
        assert rows.entry_of(original.entry_id) is not None
    with filled.read() as view:
        at_once = view.entry_of(original.entry_id)
        assert view.entry_of(b"nowhere") is None
    settle(filled)
    with filled.read() as view:
        later = view.entry_of(original.entry_id)
        assert later == view.entries(6, 1)[0]
    assert at_once is not None
    assert at_once.index in {UNPLACED, 6}
    assert replace(at_once, index=6) == later


def test_entries_come_back_as_they_were_sealed(filled: SqlStore) -> None:
    original = sealed(6, "c2", "c1")
    with filled.begin() as rows:
        rows.append([original])
    settle(filled)
    with filled.read() as view:
        (stored,) = view.entries(6, 10)
        assert view.index_of(original.entry_id) == 6
        assert view.index_of(b"nowhere") is None
    assert stored.leaf == original.leaf
    assert stored.leaf_hash == original.leaf_hash
    assert (stored.epoch, stored.sealed_event) == (original.epoch, original.sealed_event)
    assert stored.refs == ("c2", "c1")
    assert stored.sealed_subjects == original.sealed_subjects


def test_search_pages_from_new_to_old_within_the_tenant(filled: SqlStore) -> None:
    assert found(filled) == [5, 3, 2, 1, 0]
    assert found(filled, limit=2) == [5, 3]
    assert found(filled, before=3, limit=2) == [2, 1]
    assert found(filled, ref="c1") == [5, 2, 0]
    assert found(filled, ref="c1", before=5, limit=1) == [2]
    assert found(filled, agent_id="a2") == [2, 1]
    assert found(filled, team="team-2") == [2]
    assert found(filled, vendor="other") == [3]
    assert found(filled, purpose="") == [3]
    assert found(filled, kinds=(EntryKind.EXPORT, EntryKind.BUNDLE)) == [3, 2]
    assert found(filled, since=NOON + 2, until=NOON + 5) == [3, 2]


def test_an_entry_that_names_a_customer_twice_is_found_once(filled: SqlStore) -> None:
    with filled.begin() as rows:
        rows.append([sealed(6, "c2", "c2", kind=EntryKind.EXPORT)])
    settle(filled)
    assert found(filled, ref="c2") == [6, 2, 1]


def test_a_writers_number_is_used_once(filled: SqlStore) -> None:
    with pytest.raises((ConflictError, ForkError)):  # noqa: PT012 - on the one engine now, or when it is placed
        with filled.begin() as rows:
            rows.append([sealed(5, "c1")])
        settle(filled)
    with filled.begin() as rows:
        assert rows.has_written(b"writer-1", 5)
        assert not rows.has_written(b"writer-1", 6)
        assert not rows.has_written(b"writer-2", 5)
        assert rows.head()[0] == 6


def test_two_appends_in_one_transaction_follow_each_other(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects(list(SUBJECTS.values()))
        rows.append([sealed(0, "c1")])
        rows.settle()
        assert rows.head()[0] == 1
        rows.append([sealed(1, "c1", at=NOON - 9)])
        rows.settle()
        assert (rows.head()[0], rows.newest_at()) == (2, NOON)


def test_enforcement_report_counts_views_by_team(filled: SqlStore) -> None:
    with filled.read() as view:
        assert view.enforcement_report(TENANT, NOON, NOON + 9) == [
            ("team-1", "", "", 1),
            ("team-1", "mask", "refused", 2),
        ]
        assert view.enforcement_report(TENANT, NOON + 6, NOON + 9) == []


def test_an_erased_part_comes_back_as_none(filled: SqlStore, store_url: str) -> None:
    with filled.begin() as rows:
        rows.append([sealed(6, "c1")])
    settle(filled)
    engine = sa.create_engine(parse(store_url))
    with engine.begin() as connection:
        connection.execute(sa.text("update detail_subject set sealed = null where idx = 6"))
    engine.dispose()
    with filled.read() as view:
        assert view.entries(6, 1)[0].sealed_subjects == (None,)
