"""From durable to numbered: entries wait as pending rows until the integrator places them.

A writer that had to know its entries' indexes would hold a lock on the tree's head through its
commit, and all writers would stand in one line (measured: a tenth of the throughput at eight
writers). So on PostgreSQL a writer only inserts; one integrator at a time moves rows into the tree,
sorted by time. A row whose number is missing from its writer's sequence can only have been deleted:
each writer commits in its own order, so a later number is never seen before an earlier one.

SQLite has one writer and no line to stand in: there entries are placed by the commit itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, func, insert, select, text, tuple_

from guard.clock import Micros
from guard.entries import SEARCHED, UNPLACED, SealedEntry, StoredEntry
from guard.errors import ConflictError, ForkError, ProofError
from guard.ledger.entry import check_parts
from guard.rows import Gap, Integrated, PendingSpan
from guard.store.entries import EntryReads, EntryWrites, PlacedEntry, placed
from guard.store.tables import entry, pending, writer_gap

# Advisory locks of this store; any constants that no other program uses in this database.
INTEGRATING = 0x7265_636F_7264_0001
_WORKING = 0x7265_636F_7264_0002

# Entries placed by one statement where work waits for all of them.
SETTLED = 4096

# Writers differ in their clocks by less than what so many entries take.
RECENT = 256

_TRY = text("SELECT pg_try_advisory_xact_lock(:lock) AS taken")
_WAIT = text("SELECT pg_advisory_xact_lock(:lock)")
_OLDEST = select(pending.c.id).order_by(pending.c.id).limit(bindparam("limit")).scalar_subquery()
_TAKE = (
    delete(pending)
    .where(pending.c.id.in_(_OLDEST))
    .returning(pending.c.id, pending.c.writer, pending.c.writer_seq, pending.c.body)
)
_SPAN = select(func.min(pending.c.id).label("oldest"), func.max(pending.c.id).label("newest"))
_NEWEST = select(pending.c.at).order_by(pending.c.id.desc()).limit(bindparam("limit")).subquery()
_NEWEST_AT = select(func.max(_NEWEST.c.at).label("at"))
_UNTOLD = (
    select(writer_gap.c.writer, writer_gap.c.first)
    .order_by(writer_gap.c.writer, writer_gap.c.first)
    .limit(bindparam("limit"))
)
_TAKE_GAPS = (
    delete(writer_gap)
    .where(tuple_(writer_gap.c.writer, writer_gap.c.first).in_(_UNTOLD))
    .returning(writer_gap.c.writer, writer_gap.c.first, writer_gap.c.before)
)
_IN_TREE = select(entry.c.idx).where(
    entry.c.writer == bindparam("writer"), entry.c.writer_seq == bindparam("writer_seq")
)
_IS_PENDING = select(pending.c.id).where(
    pending.c.writer == bindparam("writer"), pending.c.writer_seq == bindparam("writer_seq")
)
_PENDING_ENTRY = select(pending.c.writer, pending.c.writer_seq, pending.c.body).where(
    pending.c.entry_id == bindparam("entry_id")
)
_CLEAR = {"epoch", "kind", "line", *SEARCHED}
_decode = msgspec.msgpack.Decoder(PlacedEntry).decode
_encode = msgspec.msgpack.Encoder().encode


class PendingReads(EntryReads):
    """What waits for its place in the tree."""

    @property
    def _is_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def pending_span(self) -> PendingSpan | None:
        """See `ReadView.pending_span`: both ends of an index, however many lie between."""
        row = self._first(_SPAN)
        return None if row is None or row.oldest is None else PendingSpan(row.oldest, row.newest)

    def entry_of(self, entry_id: bytes) -> StoredEntry | None:
        """See `ReadView.entry_of`."""
        # Pending first: a row that moves between the two looks is then seen by the second.
        row = self._first(_PENDING_ENTRY, {"entry_id": entry_id})
        if row is not None:
            one = _decoded(row)
            _check(one)
            return _unplaced(one)
        index = self.index_of(entry_id)
        return None if index is None else self.entries(index, 1)[0]

    def has_untold_gaps(self) -> bool:
        """See `ReadView.has_untold_gaps`."""
        return self._first(_UNTOLD, {"limit": 1}) is not None

    def newest_pending_at(self) -> Micros:
        """See `ReadView.newest_pending_at`."""
        row = self._first(_NEWEST_AT, {"limit": RECENT})
        return 0 if row is None or row.at is None else int(row.at)


class PendingWrites(PendingReads, EntryWrites):
    """Appending, at once or by way of `pending`."""

    def next_index(self) -> int | None:
        """See `UnitOfWork.next_index`."""
        return self.head()[0] if self._is_sqlite else None

    def newest_at(self) -> Micros:
        """See `ReadView.newest_at`; what is pending counts, and no writer locks the head."""
        if self._is_sqlite:
            return super().newest_at()
        return max(int(EntryReads._head(self).newest_at), self.newest_pending_at())  # noqa: SLF001 - the one that does not lock

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
            self._first(_WAIT, {"lock": INTEGRATING})
            while self._move(SETTLED).count == SETTLED:
                pass

    def integrate(self, limit: int) -> Integrated:
        """See `PendingEntries.integrate`."""
        row = self._first(_TRY, {"lock": INTEGRATING})
        is_free = row is not None and row.taken
        return self._move(limit) if is_free else Integrated(count=0)

    def _move(self, limit: int) -> Integrated:
        rows = sorted(self._all(_TAKE, {"limit": limit}), key=lambda row: row.id)
        taken = _in_order([_decoded(row) for row in rows])
        for one in taken:
            _check(one)
        last = self.last_of({one.writer for one in taken}) if taken else {}
        gaps = _gaps(taken, last)
        self._write(insert(writer_gap), [asdict(gap) for gap in gaps])
        try:
            self.place(taken)
        except ConflictError:
            raise _in_the_way(taken, last) from None
        return Integrated(count=len(taken), gaps=gaps)

    def take_gaps(self, limit: int) -> list[Gap]:
        """See `UnitOfWork.take_gaps`."""
        rows = self._all(_TAKE_GAPS, {"limit": limit})
        return sorted(
            (Gap(row.writer, row.first, row.before) for row in rows),
            key=lambda gap: (gap.writer, gap.first),
        )

    def has_written(self, writer: bytes, writer_seq: int) -> bool:
        """See `UnitOfWork.has_written`."""
        asked = {"writer": writer, "writer_seq": writer_seq}
        # Pending first: a row that moves between the two looks is then seen by the second.
        return any(self._first(where, asked) is not None for where in (_IS_PENDING, _IN_TREE))


def _gaps(taken: Sequence[PlacedEntry], in_tree: Mapping[bytes, int]) -> tuple[Gap, ...]:
    """The numbers that are missing behind the last one of each writer that is `in_tree`."""
    last = dict(in_tree)
    gaps = []
    for one in taken:
        expected = last.get(one.writer, -1) + 1
        if one.writer_seq > expected:
            gaps.append(Gap(one.writer, expected, one.writer_seq))
        last[one.writer] = one.writer_seq
    return tuple(gaps)


def _in_the_way(taken: Sequence[PlacedEntry], in_tree: Mapping[bytes, int]) -> ForkError:
    """Why the tree holds something else in the place of what was `taken`."""
    for one in taken:
        if one.writer_seq <= in_tree.get(one.writer, -1):
            return ForkError(
                f"pending entry {one.writer_seq} of writer {one.writer.hex()} is in the tree"
                " already: run `guard fsck`, then remove the row that it names from `pending`"
            )
    return ForkError(
        "what is pending has no free place behind the head of the tree: run `guard fsck`, then"
        " restore what it names from a backup"
    )


def _decoded(row: Row[Any]) -> PlacedEntry:
    """What waits in a row.

    Raises:
        ForkError: The row was changed.
    """
    try:
        one = _decode(row.body)
    except (msgspec.MsgspecError, ValueError):
        raise _changed(row, "it cannot be read") from None
    if (one.writer, one.writer_seq) != (row.writer, row.writer_seq):
        raise _changed(row, "its columns say another thing")
    if one.detail.keys() != _CLEAR or len(one.refs) != len(one.sealed_subjects):
        raise _changed(row, "some of it is missing")
    return one


def _changed(one: Row[Any] | PlacedEntry, why: object) -> ForkError:
    return ForkError(
        f"pending entry {one.writer_seq} of writer {one.writer.hex()} was changed ({why}),"
        " restore it from a backup"
    )


def _unplaced(one: PlacedEntry) -> StoredEntry:
    return StoredEntry(
        index=UNPLACED,
        leaf=one.leaf,
        leaf_hash=one.leaf_hash,
        epoch=str(one.detail["epoch"]),
        sealed_event=one.sealed_event,
        refs=one.refs,
        sealed_subjects=one.sealed_subjects,
        searched={name: one.detail[name] for name in ("kind", *SEARCHED)},
    )


def _in_order(taken: Sequence[PlacedEntry]) -> list[PlacedEntry]:
    """By time, but never against the order of a writer or of a customer's numbers.

    `taken` is in the order of ids: a writer takes them in its own order, and who waits for a
    customer's row takes them after who had it, whatever their clocks say.
    """
    latest: dict[bytes | str, int] = {}
    keyed = []
    for one in taken:
        bound: list[bytes | str] = [one.writer, *one.refs]
        at = max(one.at, *(latest.get(key, 0) for key in bound))
        latest |= dict.fromkeys(bound, at)
        keyed.append((at, one))
    # A stable sort: of equal times, the lower id comes first.
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
        leaf = check_parts(one.leaf, one.leaf_hash, (one.sealed_event, *one.sealed_subjects))
    except ProofError as error:
        raise _changed(one, error) from None
    named = (one.entry_id, one.writer, one.writer_seq, one.at, one.detail["kind"])
    if named != (leaf.entry_id, leaf.writer, leaf.writer_seq, leaf.at, leaf.kind):
        raise _changed(one, "it says another thing than its leaf")
