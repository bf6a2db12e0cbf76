"""The log: appending entries to the tree under its head, and reading them back.

On SQLite `append` gives contiguous indexes and moves the head in the transaction of the one writer.
On PostgreSQL it leaves the entries pending (see `guard.store.pending`), so that no writer waits for
another; the integrator then gives the indexes, with the head's row locked. Either way the tree has
no gap and no fork however many processes write.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Row, Select, bindparam, func, insert, select, update

from guard.clock import Micros
from guard.entries import SEARCHED, EntryKind, SealedEntry, StoredEntry
from guard.errors import ForkError
from guard.ledger.merkle import CompactRange
from guard.store.log_terms import BLOCK, LogTermReads, LogTermWrites
from guard.store.statements import is_among
from guard.store.tables import checkpoint, detail_event, detail_subject, entry, tree_head

HASH_SIZE = 32

# Leaf hashes are read in pieces of this many: 128 KiB at a time, whatever the size of the log.
PIECE = 4096

# Reporting lines whose text is remembered: everybody below one lead has the same.
_LINES = 1024

_HEAD = select(tree_head.c.size, tree_head.c.range, tree_head.c.newest_at)
_LOCK_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = update(tree_head).values(
    size=bindparam("to_size"), range=bindparam("to_range"), newest_at=bindparam("to_newest_at")
)
_TOUCH_HEAD = update(tree_head).where(tree_head.c.id == bindparam("same")).values(id=1)
STORED = select(
    entry.c.idx,
    entry.c.leaf,
    entry.c.leaf_hash,
    detail_event.c.epoch,
    detail_event.c.sealed,
    detail_event.c.kind,
    *(detail_event.c[name] for name in SEARCHED),
).join(detail_event, detail_event.c.idx == entry.c.idx)
_ENTRIES = (
    STORED.where(entry.c.idx >= bindparam("start")).order_by(entry.c.idx).limit(bindparam("limit"))
)
_LEAF_HASHES = (
    select(entry.c.leaf_hash)
    .where(entry.c.idx >= bindparam("start"), entry.c.idx < bindparam("end"))
    .order_by(entry.c.idx)
)
_INDEX_OF = select(entry.c.idx).where(entry.c.entry_id == bindparam("entry_id"))
_LAST_OF = (
    select(entry.c.writer, func.max(entry.c.writer_seq).label("last"))
    .where(entry.c.writer.in_(bindparam("writers", expanding=True)))
    .group_by(entry.c.writer)
)
_CHECKPOINT = select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
_CHECKPOINT_AT = select(checkpoint.c.root).where(checkpoint.c.size == bindparam("size"))
_COSIGN = (
    update(checkpoint).where(checkpoint.c.size == bindparam("of")).values(note=bindparam("note"))
)
_REPORT = (
    select(
        detail_event.c.team, detail_event.c.mode, detail_event.c.would, func.count().label("views")
    )
    .where(
        detail_event.c.tenant == bindparam("tenant"),
        detail_event.c.idx >= bindparam("first"),
        detail_event.c.idx < bindparam("before"),
        detail_event.c.at >= bindparam("since"),
        detail_event.c.at < bindparam("until"),
        detail_event.c.kind.in_([EntryKind.VIEW.value, EntryKind.REFUSAL.value]),
    )
    .group_by(detail_event.c.team, detail_event.c.mode, detail_event.c.would)
    .order_by(detail_event.c.team, detail_event.c.mode, detail_event.c.would)
)


class PlacedEntry(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What the tables keep of an entry; `detail` holds the clear columns of its event part."""

    entry_id: bytes
    writer: bytes
    writer_seq: int
    at: Micros
    leaf: bytes
    leaf_hash: bytes
    detail: dict[str, str | int]
    sealed_event: bytes
    refs: tuple[str, ...]
    sealed_subjects: tuple[bytes, ...]


# An entry and the index that it gets.
Numbered: TypeAlias = tuple[int, PlacedEntry]

_encode = msgspec.json.Encoder().encode
_detail_of = itemgetter(
    *(one.name for one in detail_event.columns if one.name not in {"idx", "epoch", "sealed"})
)


@cache
def _subjects(dialect: str) -> Select[Any]:
    """The subject parts of entries."""
    return (
        select(detail_subject)
        .where(is_among(dialect, detail_subject.c.idx, "indexes"))
        .order_by(detail_subject.c.idx, detail_subject.c.position)
    )


class EntryReads(LogTermReads):
    """Reading the log."""

    def entries(self, start: int, limit: int) -> list[StoredEntry]:
        """See `ReadView.entries`."""
        return self.stored(self._all(_ENTRIES, {"start": start, "limit": limit}))

    def stored(self, rows: Sequence[Row[Any]]) -> list[StoredEntry]:
        """Rows of `STORED` with their subject parts."""
        parts: dict[int, list[Row[Any]]] = {row.idx: [] for row in rows}
        if parts:
            for part in self._all(_subjects(self._dialect), {"indexes": list(parts)}):
                parts[part.idx].append(part)
        return [
            StoredEntry(
                index=row.idx,
                leaf=row.leaf,
                leaf_hash=row.leaf_hash,
                epoch=row.epoch,
                sealed_event=row.sealed,
                refs=tuple(part.ref for part in parts[row.idx]),
                sealed_subjects=tuple(part.sealed for part in parts[row.idx]),
                searched={name: getattr(row, name) for name in ("kind", *SEARCHED)},
            )
            for row in rows
        ]

    def leaf_hashes(self, start: int, end: int) -> Iterator[bytes]:
        """See `ReadView.leaf_hashes`."""
        for piece in range(start, end, PIECE):
            rows = self._all(_LEAF_HASHES, {"start": piece, "end": min(piece + PIECE, end)})
            for row in rows:
                yield row.leaf_hash

    def head(self) -> tuple[int, tuple[bytes, ...]]:
        """See `ReadView.head`."""
        row = self._head()
        return row.size, _split(row.range)

    def newest_at(self) -> Micros:
        """See `ReadView.newest_at`."""
        return int(self._head().newest_at)

    def _head(self) -> Row[Any]:
        row = self._first(_HEAD)
        if row is None:
            raise ForkError("the head of the tree is missing, restore the database from a backup")
        return row

    def index_of(self, entry_id: bytes) -> int | None:
        """See `ReadView.index_of`."""
        row = self._first(_INDEX_OF, {"entry_id": entry_id})
        return None if row is None else int(row.idx)

    def checkpoint(self) -> bytes | None:
        """See `ReadView.checkpoint`."""
        row = self._first(_CHECKPOINT)
        return None if row is None else row.note

    def enforcement_report(
        self, tenant: str, since: Micros, until: Micros
    ) -> list[tuple[str, str, str, int]]:
        """See `ReadView.enforcement_report`; views and refusals of [since, until)."""
        first, before = self.span(since, until, self.head()[0])
        asked = {"tenant": tenant, "since": since, "until": until, "first": first, "before": before}
        rows = self._all(_REPORT, asked)
        return [(row.team, row.mode, row.would, row.views) for row in rows]


class EntryWrites(EntryReads, LogTermWrites):
    """Appending to the log."""

    _locked_head: Row[Any] | None = None

    def _head(self) -> Row[Any]:
        """The head, locked from its first use to the end of the transaction."""
        if self._locked_head is None:
            self._locked_head = self._first(_LOCK_HEAD)
        return self._locked_head if self._locked_head is not None else super()._head()

    def touch_head(self) -> None:
        """Write the head as it is: shows that a write would work."""
        self._write(_TOUCH_HEAD, {"same": 1})

    def place(self, entries: Sequence[PlacedEntry]) -> None:
        """Give the entries the next indexes, in this order, and move the head over them."""
        if not entries:
            return
        numbered = list(enumerate(entries, self._head().size))
        self._add_leaves(numbered)
        self._add_details(numbered)

    def _add_leaves(self, numbered: Sequence[Numbered]) -> None:
        """Put the leaves into the tree, and move its head over them."""
        head = self._head()
        tree = CompactRange(head.size, _split(head.range))
        tree.extend([new.leaf_hash for _, new in numbered])
        self._add(entry, _entry_rows(numbered))
        self._write(
            _MOVE_HEAD,
            {
                "to_size": tree.size,
                "to_range": b"".join(tree.hashes),
                "to_newest_at": max(head.newest_at, *(new.at for _, new in numbered)),
            },
        )
        self._locked_head = None

    def _add_details(self, numbered: Sequence[Numbered]) -> None:
        """Keep what stands beside the leaves, and index the blocks that are now full."""
        self._add(detail_event, _event_rows(numbered))
        self._add(detail_subject, _subject_rows(numbered))
        start, size = numbered[0][0], numbered[-1][0] + 1
        if size // BLOCK > start // BLOCK:
            self.index_blocks(size, {index: new.detail for index, new in numbered})

    def last_of(self, writers: Collection[bytes]) -> dict[bytes, int]:
        """The last number of each of these writers that is in the tree."""
        rows = self._all(_LAST_OF, {"writers": list(writers)})
        return {row.writer: row.last for row in rows}

    def put_checkpoint(self, size: int, root: bytes, note: bytes, at: Micros) -> None:
        """See `UnitOfWork.put_checkpoint`.

        Raises:
            ForkError: Another root was already signed for this size.
        """
        known = self._first(_CHECKPOINT_AT, {"size": size})
        if known is None:
            values = {"size": size, "root": root, "note": note, "at": at}
            self._write(insert(checkpoint), values)
        elif known.root == root:
            self._write(_COSIGN, {"of": size, "note": note})
        else:
            raise ForkError(
                f"another checkpoint of size {size} is already signed, "
                "stop signing and compare the log with its witnesses"
            )


def _split(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[i : i + HASH_SIZE] for i in range(0, len(joined), HASH_SIZE))


def placed(new: SealedEntry) -> PlacedEntry:
    """What the tables keep of a sealed entry."""
    return PlacedEntry(
        entry_id=new.entry_id,
        writer=new.writer,
        writer_seq=new.writer_seq,
        at=new.event.at,
        leaf=new.leaf,
        leaf_hash=new.leaf_hash,
        detail=_detail(new),
        sealed_event=new.sealed_event,
        refs=new.refs,
        sealed_subjects=new.sealed_subjects,
    )


def _entry_rows(numbered: Sequence[Numbered]) -> list[tuple[Any, ...]]:
    return [
        (index, new.entry_id, new.writer, new.writer_seq, new.leaf, new.leaf_hash)
        for index, new in numbered
    ]


def _event_rows(numbered: Sequence[Numbered]) -> list[tuple[Any, ...]]:
    return [
        (index, new.detail["epoch"], new.sealed_event, *_detail_of(new.detail))
        for index, new in numbered
    ]


def _subject_rows(numbered: Sequence[Numbered]) -> list[tuple[Any, ...]]:
    return [
        (index, position, ref, sealed)
        for index, new in numbered
        for position, (ref, sealed) in enumerate(zip(new.refs, new.sealed_subjects, strict=True))
    ]


@lru_cache(maxsize=_LINES)
def _line_text(line: tuple[str, ...]) -> str:
    return _encode(line).decode()


def _detail(new: SealedEntry) -> dict[str, str | int]:
    event = new.event
    return {
        "epoch": new.epoch,
        "at": event.at,
        "kind": int(new.kind),
        "tenant": event.tenant,
        "region": event.region,
        "vendor": event.vendor,
        "site": event.site,
        "team": event.team,
        "line": _line_text(event.line),
        "agent": event.agent,
        "actor": event.actor,
        "purpose": event.purpose,
        "link": event.link,
        "mode": event.mode,
        "would": event.would,
        "outcome": event.outcome,
        "shown": event.shown,
    }
