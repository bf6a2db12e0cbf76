"""From durable to numbered: entries wait as pending rows until the integrator places them.

A writer that had to know its entries' indexes would hold a lock on the tree's head through its
commit, and all writers would stand in one line (measured: a tenth of the throughput at eight
writers). So on PostgreSQL a writer only inserts; one integrator at a time moves rows into the tree,
sorted by (time, writer, number). A row whose number is missing from its writer's sequence can only
have been deleted: each writer commits in its own order, so a later number is never seen before an
earlier one.

SQLite has one writer and no line to stand in: there entries are placed by the commit itself.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, delete, insert, select, text

from guard.entries import SealedEntry
from guard.errors import ForkError, ProofError
from guard.ledger.entry import check_parts
from guard.rows import Gap, Integrated
from guard.store.entries import EntryWrites, PlacedEntry, placed
from guard.store.tables import entry, pending

# Advisory locks of this store; any constants that no other program uses in this database.
_INTEGRATING = 0x7265_636F_7264_0001
_WORKING = 0x7265_636F_7264_0002

# Entries placed by one statement where work waits for all of them.
SETTLED = 4096

_TRY = text("SELECT pg_try_advisory_xact_lock(:lock) AS taken")
_WAIT = text("SELECT pg_advisory_xact_lock(:lock)")
_OLDEST = select(pending.c.id).order_by(pending.c.id).limit(bindparam("limit")).scalar_subquery()
_TAKE = delete(pending).where(pending.c.id.in_(_OLDEST)).returning(pending.c.body)
_IN_TREE = select(entry.c.idx).where(
    entry.c.writer == bindparam("writer"), entry.c.writer_seq == bindparam("writer_seq")
)
_IS_PENDING = select(pending.c.id).where(
    pending.c.writer == bindparam("writer"), pending.c.writer_seq == bindparam("writer_seq")
)
_decode = msgspec.msgpack.Decoder(PlacedEntry).decode
_encode = msgspec.msgpack.Encoder().encode


class PendingWrites(EntryWrites):
    """Appending, at once or by way of `pending`."""

    @property
    def _is_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def next_index(self) -> int | None:
        """See `UnitOfWork.next_index`."""
        return self.head()[0] if self._is_sqlite else None

    def append(self, entries: Sequence[SealedEntry]) -> None:
        """See `UnitOfWork.append`."""
        if self._is_sqlite:
            self.place([placed(new) for new in entries])
        else:
            self._write(insert(pending), [_pending_values(placed(new)) for new in entries])

    def serialise(self) -> None:
        """See `UnitOfWork.serialise`; SQLite has one writer anyway."""
        if not self._is_sqlite:
            self._first(_WAIT, {"lock": _WORKING})

    def settle(self) -> None:
        """See `UnitOfWork.settle`."""
        if not self._is_sqlite:
            self._first(_WAIT, {"lock": _INTEGRATING})
            while self._move(SETTLED).count == SETTLED:
                pass

    def integrate(self, limit: int) -> Integrated:
        """See `PendingEntries.integrate`."""
        row = self._first(_TRY, {"lock": _INTEGRATING})
        is_free = row is not None and row.taken
        return self._move(limit) if is_free else Integrated(count=0)

    def _move(self, limit: int) -> Integrated:
        taken = [_decode(row.body) for row in self._all(_TAKE, {"limit": limit})]
        taken = _in_order(taken)
        for one in taken:
            _check(one)
        gaps = self._gaps(taken)
        self.place(taken)
        return Integrated(count=len(taken), gaps=gaps)

    def has_written(self, writer: bytes, writer_seq: int) -> bool:
        """See `UnitOfWork.has_written`."""
        asked = {"writer": writer, "writer_seq": writer_seq}
        # Pending first: a row that moves between the two looks is then seen by the second.
        return any(self._first(where, asked) is not None for where in (_IS_PENDING, _IN_TREE))

    def _gaps(self, taken: Sequence[PlacedEntry]) -> tuple[Gap, ...]:
        last = self.last_of({one.writer for one in taken}) if taken else {}
        gaps = []
        for one in taken:
            expected = last.get(one.writer, -1) + 1
            if one.writer_seq > expected:
                gaps.append(Gap(one.writer, expected, one.writer_seq))
            last[one.writer] = one.writer_seq
        return tuple(gaps)


def _in_order(taken: Sequence[PlacedEntry]) -> list[PlacedEntry]:
    """By time, but never against the order of a writer, whatever its clock did."""
    latest: dict[bytes, int] = {}
    keyed = []
    for one in sorted(taken, key=lambda one: one.writer_seq):
        latest[one.writer] = max(one.at, latest.get(one.writer, 0))
        keyed.append(((latest[one.writer], one.writer, one.writer_seq), one))
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def _pending_values(new: PlacedEntry) -> dict[str, object]:
    return {
        "entry_id": new.entry_id,
        "writer": new.writer,
        "writer_seq": new.writer_seq,
        "at": new.at,
        "body": _encode(new),
    }


def _check(one: PlacedEntry) -> None:
    """Place nothing that was changed while it waited: once in the tree it would stay for ever."""
    try:
        check_parts(one.leaf, one.leaf_hash, (one.sealed_event, *one.sealed_subjects))
    except ProofError as error:
        raise ForkError(
            f"pending entry {one.writer_seq} of writer {one.writer.hex()} was changed ({error}),"
            " restore it from a backup"
        ) from None
