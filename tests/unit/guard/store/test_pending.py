"""What waits for its place in the tree, on a real PostgreSQL."""

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import delete, update

from guard.entries import EntryKind, SealedEntry
from guard.errors import ForkError
from guard.rows import Gap, PendingSpan
from guard.store import SqlStore
from guard.store.entries import PlacedEntry
from guard.store.tables import pending, tree_head
from tests.support.log import stored_log
from tests.support.makers import NOON, make_entry, make_subject
from tests.support.sealing import PlainSealer

pytestmark = pytest.mark.postgres
WRITERS = (PlainSealer(b"writer-1"), PlainSealer(b"writer-2"))
SUBJECTS = {"c1": make_subject("c1")}


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    with SqlStore(postgres_url) as opened:
        with opened.begin() as rows:
            rows.add_subjects(list(SUBJECTS.values()))
        yield opened


def sealed(seq: int, *, at: int = 0, writer: int = 0, ref: str | None = None) -> SealedEntry:
    new = make_entry(EntryKind.VIEW, *([] if ref is None else [ref]), at=NOON + at)
    return WRITERS[writer].seal(new, writer_seq=seq, subjects=SUBJECTS, next_n={})


def append(store: SqlStore, *entries: SealedEntry) -> None:
    with store.begin() as rows:
        rows.append(entries)


def placed(store: SqlStore) -> list[tuple[bytes, int]]:
    return [
        (entry.leaf[26:34], int.from_bytes(entry.leaf[34:42], "big")) for entry in stored_log(store)
    ]


def test_entries_wait_and_are_placed_in_one_turn(store: SqlStore) -> None:
    append(store, sealed(0, at=5), sealed(1, at=6))
    append(store, sealed(0, at=1, writer=1))
    with store.read() as view:
        assert view.head()[0] == 0
        assert view.pending_span() == PendingSpan(1, 3)
        assert view.newest_pending_at() == NOON + 6
        assert view.newest_at() == 0
    with store.begin() as rows:
        assert rows.next_index() is None
        assert rows.newest_at() == NOON + 6
        assert rows.has_written(b"writer-1", 1)
        assert not rows.has_written(b"writer-1", 2)
    assert store.integrate(10).count == 3
    assert store.integrate(10).count == 0
    assert placed(store) == [(b"writer-2", 0), (b"writer-1", 0), (b"writer-1", 1)]
    with store.read() as view:
        assert view.pending_span() is None
        assert view.newest_pending_at() == 0
    with store.begin() as rows:
        assert rows.has_written(b"writer-1", 1)


def test_a_turn_takes_the_oldest_and_leaves_the_rest(store: SqlStore) -> None:
    append(store, *(sealed(n) for n in range(5)))
    assert store.integrate(3).count == 3
    assert placed(store) == [(b"writer-1", n) for n in range(5)]


def test_a_clock_that_runs_back_changes_no_writers_order(store: SqlStore) -> None:
    append(store, sealed(0, at=9), sealed(1, at=2), sealed(2, at=3))
    append(store, sealed(0, at=4, writer=1))
    assert store.integrate(10).count == 4
    assert placed(store) == [
        (b"writer-2", 0),
        (b"writer-1", 0),
        (b"writer-1", 1),
        (b"writer-1", 2),
    ]


def test_a_customers_entries_stand_in_the_order_of_their_numbers(store: SqlStore) -> None:
    # Who had the customer's row first has the lower number, though its clock is ahead.
    append(store, sealed(0, at=9, ref="c1"))
    append(store, sealed(0, at=1, writer=1, ref="c1"), sealed(1, at=2, writer=1))
    assert store.integrate(10).count == 3
    assert placed(store) == [(b"writer-1", 0), (b"writer-2", 0), (b"writer-2", 1)]


def test_writers_do_not_wait_for_each_other(store: SqlStore, postgres_url: str) -> None:
    with SqlStore(postgres_url) as other, store.begin() as rows:
        rows.append([sealed(0)])
        assert rows.newest_at() == NOON
        append(other, sealed(0, writer=1))
        assert other.integrate(10).count == 1
    assert placed(store) == [(b"writer-2", 0), (b"writer-1", 0)]


def test_one_integrates_at_a_time(store: SqlStore, postgres_url: str) -> None:
    append(store, sealed(0))
    with SqlStore(postgres_url) as other, store.begin() as rows:
        rows.settle()
        assert rows.head()[0] == 1
        assert other.integrate(10).count == 0
    assert placed(store) == [(b"writer-1", 0)]


def test_deleted_rows_leave_a_gap_that_is_kept_until_it_is_told(store: SqlStore) -> None:
    append(store, *(sealed(n) for n in range(6)))
    with store._opened() as (connection, _):  # noqa: SLF001 - as somebody with the database would
        connection.execute(delete(pending).where(pending.c.writer_seq.in_([0, 3, 4])))
        connection.commit()
    found = (Gap(b"writer-1", 0, 1), Gap(b"writer-1", 3, 5))
    with store.read() as view:
        assert not view.has_untold_gaps()
    assert store.integrate(10).gaps == found
    with store.read() as view:
        assert view.has_untold_gaps()
    with store._opened() as (_, rows):  # noqa: SLF001 - what is not committed is not told
        assert rows.take_gaps(1) == [found[0]]
    with store.begin() as rows:
        assert rows.take_gaps(10) == list(found)
    with store.read() as view:
        assert not view.has_untold_gaps()
    append(store, sealed(6))
    assert store.integrate(10).gaps == ()


def test_a_changed_row_is_not_placed(store: SqlStore) -> None:
    append(store, sealed(0), sealed(1))
    with store._opened() as (connection, _):  # noqa: SLF001 - as above
        body = connection.execute(pending.select().order_by(pending.c.id)).all()[1].body
        at = body.index(b"writer-1", body.index(b"writer-1") + 8)
        changed = body[: at + 60] + bytes([body[at + 60] ^ 1]) + body[at + 61 :]
        connection.execute(update(pending).where(pending.c.writer_seq == 1).values(body=changed))
        connection.commit()
    with pytest.raises(ForkError, match="pending entry 1 of writer"):
        store.integrate(10)
    with store.read() as view:
        assert view.head()[0] == 0


def test_settling_places_more_than_one_statement_takes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guard.store.pending.SETTLED", 2)
    append(store, *(sealed(n) for n in range(5)))
    with store.begin() as rows:
        rows.serialise()
        rows.settle()
        assert rows.head()[0] == 5


def change(store: SqlStore, seq: int, **values: object) -> None:
    """As somebody with the database would."""
    with store._opened() as (connection, _):  # noqa: SLF001 - nothing of ours changes a row
        connection.execute(update(pending).where(pending.c.writer_seq == seq).values(**values))
        connection.commit()


def rewritten(store: SqlStore, seq: int, **changes: object) -> bytes:
    """The body of a row with other fields in it."""
    with store._opened() as (connection, _):  # noqa: SLF001 - as above
        row = connection.execute(pending.select().where(pending.c.writer_seq == seq)).one()
    one = msgspec.msgpack.decode(row.body, type=PlacedEntry)
    return msgspec.msgpack.encode(msgspec.structs.replace(one, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"body": b"\xc1"}, "it cannot be read"),
        ({"body": b"\xa1\xff"}, "it cannot be read"),
        ({"writer_seq": 7}, "its columns say another thing"),
        ({"detail": {}}, "some of it is missing"),
        ({"refs": ("c1",)}, "some of it is missing"),
        ({"at": 7}, "it says another thing than its leaf"),
        ({"entry_id": b"another"}, "it says another thing than its leaf"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_by_whoever_meets_it(
    store: SqlStore, changes: dict[str, object], words: str
) -> None:
    one = sealed(1)
    append(store, sealed(0), one)
    columns = changes.keys() & {"body", "writer_seq"}
    if not columns:
        changes = {"body": rewritten(store, 1, **changes)}
    change(store, 1, **changes)
    with pytest.raises(ForkError, match=rf"pending entry [17] of writer .*{words}"):
        store.integrate(10)
    with pytest.raises(ForkError, match=words), store.begin() as rows:
        rows.settle()
    with store.read() as view, pytest.raises(ForkError, match=words):
        view.entry_of(one.entry_id)
    with store.read() as view:
        assert view.head()[0] == 0


def test_a_row_that_is_in_the_tree_already_is_named(store: SqlStore) -> None:
    append(store, sealed(0), sealed(1))
    store.integrate(10)
    append(store, sealed(1), sealed(2))
    with pytest.raises(ForkError, match=r"pending entry 1 of writer .* is in the tree already"):
        store.integrate(10)


def test_a_head_that_was_moved_back_is_told(store: SqlStore) -> None:
    append(store, sealed(0))
    with store._opened() as (connection, _):  # noqa: SLF001 - as somebody with the database would
        before = connection.execute(tree_head.select()).one()
    store.integrate(10)
    with store._opened() as (connection, _):  # noqa: SLF001 - as above
        connection.execute(update(tree_head).values(size=before.size, range=before.range))
        connection.commit()
    append(store, sealed(1))
    with pytest.raises(ForkError, match="no free place behind the head"):
        store.integrate(10)
