"""Reading a whole log back and checking it against its head."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
import sqlalchemy as sa

from guard.entries import EntryKind, EventPart, OpenedEntry, Receipt, StoredEntry
from guard.ledger.integrator import Integrator
from guard.ledger.merkle import HASH_SIZE, CompactRange
from guard.store import SqlStore
from guard.store.engine import is_sqlite, parse
from guard.store.pending import INTEGRATING


def settle(store: SqlStore) -> None:
    """Let everything that is durable have its place in the tree."""
    integrator = Integrator(store)
    integrator.catch_up()
    assert not integrator.gaps


@contextmanager
def nothing_placed(store_url: str) -> Iterator[None]:
    """Keep every integrator of a PostgreSQL from its turn, as a busy one of another broker does."""
    if is_sqlite(store_url):
        yield
        return
    engine = sa.create_engine(parse(store_url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": INTEGRATING})
        yield


def stored_log(store: SqlStore) -> list[StoredEntry]:
    """All entries, after checking that the head is the tree over exactly these leaves."""
    settle(store)
    with store.read() as view:
        size, hashes = view.head()
        entries = view.entries(0, size + 10)
    tree = CompactRange()
    for entry in entries:
        tree.append(entry.leaf_hash)
    assert (size, hashes) == (tree.size, tree.hashes)
    assert [entry.index for entry in entries] == list(range(size))
    return entries


def opened_log(store: SqlStore) -> list[OpenedEntry]:
    """All entries of `PlainSealer`, opened; each writer's numbers must have no gap."""
    opened, numbers = [], dict[bytes, int]()
    for stored in stored_log(store):
        assert stored.sealed_event is not None
        event = msgspec.json.decode(stored.sealed_event[HASH_SIZE:], type=EventPart)
        leaf = stored.leaf
        writer, seq = leaf[26:34], int.from_bytes(leaf[34:42], "big")
        assert seq == numbers.get(writer, -1) + 1
        numbers[writer] = seq
        opened.append(
            OpenedEntry(
                index=stored.index,
                entry_id=leaf[1:17].hex(),
                kind=EntryKind(leaf[25]),
                event=event,
                refs=stored.refs,
                subjects=(),
            )
        )
    return opened


def entry_of(receipt: Receipt, log: Sequence[OpenedEntry]) -> OpenedEntry:
    """The entry that a receipt promises, which must be there once."""
    (found,) = (entry for entry in log if entry.entry_id == receipt.entry_id)
    assert receipt.index in {None, found.index}
    return found


def kinds(store: SqlStore) -> list[EntryKind]:
    """The kinds of all entries, in order."""
    return [entry.kind for entry in opened_log(store)]
