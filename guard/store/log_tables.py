"""The tables of the log row by row, with nothing joined: what is missing or too much is seen.

For `guard.fsck`, which believes no row. Every read is by key, in pages, so that a log of any length
is walked in constant memory.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import bindparam, exists, func, or_, select

from guard.entries import SEARCHED
from guard.log_rows import (
    BlockRow,
    CheckpointRow,
    DetailRow,
    EntryRow,
    HeadRow,
    LateLinkRow,
    PendingBody,
    PendingRow,
    SubjectPartRow,
)
from guard.store.entries import PlacedEntry
from guard.store.statements import Session, values_of
from guard.store.tables import (
    checkpoint,
    detail_event,
    detail_subject,
    dispute,
    entry,
    erasure,
    hold_back,
    late_link,
    legal_hold,
    log_block,
    log_term,
    pending,
    subject,
    tree_head,
)

CLEAR = ("kind", *SEARCHED, "line")

# Rows of the small tables read at a time.
PAGE = 500

_ENTRY = (select(entry).where(entry.c.idx >= bindparam("start")).order_by(entry.c.idx)).limit(
    bindparam("limit")
)
_DETAIL = select(detail_event).where(
    detail_event.c.idx >= bindparam("start"), detail_event.c.idx < bindparam("end")
)
_PARTS = (
    select(detail_subject)
    .where(detail_subject.c.idx >= bindparam("start"), detail_subject.c.idx < bindparam("end"))
    .order_by(detail_subject.c.idx, detail_subject.c.position)
)
_LATE = (
    select(late_link)
    .where(late_link.c.idx >= bindparam("start"), late_link.c.idx < bindparam("end"))
    .order_by(late_link.c.idx)
)
_STRAYS = {
    table.name: select(func.min(table.c.idx).label("first")).where(
        or_(table.c.idx < 0, table.c.idx >= bindparam("size"))
    )
    for table in (entry, detail_event, detail_subject, late_link)
}
_HEADS = select(tree_head).order_by(tree_head.c.id)
_CHECKPOINTS = (
    select(checkpoint.c.size, checkpoint.c.root, checkpoint.c.note)
    .where(checkpoint.c.size > bindparam("after"))
    .order_by(checkpoint.c.size)
    .limit(PAGE)
)
_PENDING = (
    select(pending).where(pending.c.id > bindparam("after")).order_by(pending.c.id).limit(PAGE)
)
_REFS = (
    select(subject.c.ref)
    .where(subject.c.ref > bindparam("after"))
    .order_by(subject.c.ref)
    .limit(bindparam("limit"))
)
_other = detail_subject.alias("other")
_ALONE = (
    select(detail_subject.c.ref, entry.c.idx, entry.c.leaf)
    .join(entry, entry.c.idx == detail_subject.c.idx)
    .where(
        detail_subject.c.ref.in_(bindparam("refs", expanding=True)),
        detail_subject.c.position == 0,
        ~exists().where(_other.c.idx == detail_subject.c.idx, _other.c.position != 0),
    )
    .order_by(detail_subject.c.ref, entry.c.idx)
)
_BLOCKS = select(log_block).order_by(log_block.c.block)
_STRAY_TERMS = select(func.min(log_term.c.block).label("first")).where(
    ~exists().where(log_block.c.block == log_term.c.block)
)
# Rows that entries stand for; few, so that they are read at once.
_STANDING = {table.name: select(table) for table in (legal_hold, erasure, hold_back, dispute)}
_body = msgspec.msgpack.Decoder(PlacedEntry).decode
_SMALLEST = -(2**63)


class LogTableReads(Session):
    """`ports.LogTables` over SQL."""

    def entry_rows(self, start: int, limit: int) -> list[EntryRow]:
        """See `LogTables.entry_rows`."""
        return [
            EntryRow(
                index=row.idx,
                entry_id=row.entry_id,
                writer=row.writer,
                writer_seq=row.writer_seq,
                leaf=row.leaf,
                leaf_hash=row.leaf_hash,
            )
            for row in self._all(_ENTRY, {"start": start, "limit": limit})
        ]

    def detail_rows(self, start: int, end: int) -> dict[int, DetailRow]:
        """See `LogTables.detail_rows`."""
        return {
            row.idx: DetailRow(
                index=row.idx,
                epoch=row.epoch,
                sealed=row.sealed,
                clear={name: getattr(row, name) for name in CLEAR},
            )
            for row in self._all(_DETAIL, {"start": start, "end": end})
        }

    def subject_part_rows(self, start: int, end: int) -> list[SubjectPartRow]:
        """See `LogTables.subject_part_rows`."""
        return [
            SubjectPartRow(index=row.idx, position=row.position, ref=row.ref, sealed=row.sealed)
            for row in self._all(_PARTS, {"start": start, "end": end})
        ]

    def late_link_rows(self, start: int, end: int) -> list[LateLinkRow]:
        """See `LogTables.late_link_rows`."""
        return [
            LateLinkRow(index=row.idx, tenant=row.tenant, link=row.link)
            for row in self._all(_LATE, {"start": start, "end": end})
        ]

    def strays(self, size: int) -> Mapping[str, int]:
        """See `LogTables.strays`."""
        found = {name: self._first(one, {"size": size}) for name, one in _STRAYS.items()}
        return {name: row.first for name, row in found.items() if row and row.first is not None}

    def head_rows(self) -> list[HeadRow]:
        """See `LogTables.head_rows`."""
        return [
            HeadRow(id=row.id, size=row.size, range=row.range, newest_at=row.newest_at)
            for row in self._all(_HEADS)
        ]

    def checkpoint_rows(self) -> Iterator[CheckpointRow]:
        """See `LogTables.checkpoint_rows`."""
        after = _SMALLEST
        while rows := self._all(_CHECKPOINTS, {"after": after}):
            for row in rows:
                yield CheckpointRow(size=row.size, root=row.root, note=row.note)
            after = rows[-1].size

    def pending_rows(self) -> Iterator[PendingRow]:
        """See `LogTables.pending_rows`."""
        after = _SMALLEST
        while rows := self._all(_PENDING, {"after": after}):
            for row in rows:
                yield PendingRow(
                    entry_id=row.entry_id,
                    writer=row.writer,
                    writer_seq=row.writer_seq,
                    at=row.at,
                    body=_pending_body(row.body),
                )
            after = rows[-1].id

    def subject_refs(self, after: str, limit: int) -> list[str]:
        """See `LogTables.subject_refs`."""
        return [row.ref for row in self._all(_REFS, {"after": after, "limit": limit})]

    def leaves_alone(self, refs: Collection[str]) -> dict[str, list[tuple[int, bytes]]]:
        """See `LogTables.leaves_alone`."""
        found: dict[str, list[tuple[int, bytes]]] = {ref: [] for ref in refs}
        for row in self._all(_ALONE, {"refs": sorted(refs)}):
            found[row.ref].append((row.idx, row.leaf))
        return found

    def block_rows(self) -> list[BlockRow]:
        """See `LogTables.block_rows`."""
        return [
            BlockRow(block=row.block, high=row.high, late=row.late, low=row.low)
            for row in self._all(_BLOCKS)
        ]

    def stray_terms(self) -> int | None:
        """See `LogTables.stray_terms`."""
        row = self._first(_STRAY_TERMS)
        return None if row is None or row.first is None else int(row.first)

    def standing_rows(self, table: str) -> list[Mapping[str, object]]:
        """See `LogTables.standing_rows`."""
        return [values_of(row) for row in self._all(_STANDING[table])]


def _pending_body(body: Any) -> PendingBody | None:  # noqa: ANN401 - whatever the column holds
    try:
        one = _body(body)
    except (msgspec.MsgspecError, TypeError, ValueError):
        return None
    clear = dict(one.detail)
    return PendingBody(
        entry_id=one.entry_id,
        writer=one.writer,
        writer_seq=one.writer_seq,
        at=one.at,
        leaf=one.leaf,
        leaf_hash=one.leaf_hash,
        epoch=str(clear.pop("epoch", "")),
        clear=clear,
        parts=(one.sealed_event, *one.sealed_subjects),
        refs=one.refs,
    )
