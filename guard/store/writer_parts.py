"""The entries of one writer by its own numbers, and which dead writers were accounted for."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, bindparam, insert, select

from guard.clock import Micros
from guard.entries import EntryKind
from guard.rows import WriterPart
from guard.store.statements import Session, WriteSession
from guard.store.tables import accounted_writer, detail_event, entry

_OF_WRITER = (
    select(
        entry.c.writer_seq,
        detail_event.c.at,
        entry.c.idx,
        entry.c.entry_id,
        detail_event.c.kind,
        detail_event.c.epoch,
        detail_event.c.sealed,
    )
    .join(detail_event, detail_event.c.idx == entry.c.idx)
    .where(
        entry.c.writer == bindparam("writer"),
        entry.c.writer_seq > bindparam("after"),
        detail_event.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .limit(bindparam("limit"))
)
_UPWARDS = _OF_WRITER.order_by(entry.c.writer_seq)
_DOWNWARDS = _OF_WRITER.order_by(entry.c.writer_seq.desc())
_ACCOUNTED = select(accounted_writer.c.writer)


class WriterPartReads(Session):
    """Following one writer through the log."""

    def writer_parts(
        self, writer: bytes, kinds: Collection[EntryKind], after: int, limit: int
    ) -> list[WriterPart]:
        """See `ReadView.writer_parts`."""
        return [_part(row) for row in self._all(_UPWARDS, _asked(writer, kinds, after, limit))]

    def last_writer_part(self, writer: bytes, kinds: Collection[EntryKind]) -> WriterPart | None:
        """See `ReadView.last_writer_part`."""
        row = self._first(_DOWNWARDS, _asked(writer, kinds, -1, 1))
        return None if row is None else _part(row)

    def accounted_writers(self) -> frozenset[bytes]:
        """See `ReadView.accounted_writers`."""
        return frozenset(row.writer for row in self._all(_ACCOUNTED))


class WriterPartWrites(WriterPartReads, WriteSession):
    """Taking note of dead writers."""

    def put_accounted_writer(self, writer: bytes, at: Micros) -> None:
        """See `UnitOfWork.put_accounted_writer`."""
        self._write(insert(accounted_writer), {"writer": writer, "at": at})


def _asked(
    writer: bytes, kinds: Collection[EntryKind], after: int, limit: int
) -> dict[str, object]:
    numbers = [kind.value for kind in kinds]
    return {"writer": writer, "kinds": numbers, "after": after, "limit": limit}


def _part(row: Row[Any]) -> WriterPart:
    sealed = (row.idx, row.entry_id, row.kind, row.epoch, row.sealed)
    return WriterPart(seq=row.writer_seq, at=row.at, part=sealed)
