"""The index of the log by terms: which entries show contact data, are of a vendor, in plain.

Most questions to a log are not selective: half of it has one purpose. A b-tree of entries for each
such column would cost every append and still read most of the log to intersect two of them. So the
log is cut into blocks of 1,024 indexes, and when a block is full, one row for each of its terms
says with a bit for each entry which ones have it. A question intersects those bits block by block,
newest first, with a bounded number of steps. The newest block is not full yet and is simply read.

The rows are derived from the clear columns of `detail_event`, which are checked against the sealed
event part when an entry is opened; `misindexed` holds the rows against the clear columns.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from operator import itemgetter, sub
from typing import Any, TypeAlias

from sqlalchemy import CompoundSelect, Select, bindparam, func, insert, select, union_all

from guard.clock import Micros
from guard.entries import LOOKS, EntryKind
from guard.ledger.merkle import HASH_SIZE
from guard.log_rows import TERM_BLOCK
from guard.store.statements import Session, WriteSession, is_among
from guard.store.tables import detail_event, log_block, log_term
from policies.model import Form

BLOCK = TERM_BLOCK
BLOCK_BYTES = BLOCK // 8

# How many blocks of each term one step of a question looks at, and how many steps a page may take:
# some milliseconds, in which 393,216 entries are looked at even if every term is in every block.
STEP = 96
STEPS = 4

# Blocks indexed by one commit at most: more wait only after an upgrade.
CATCH_UP = 16

# Blocks held against their entries at a time: no index leads to them, so each time reads all terms.
CHECKED = 256

# What every entry has.
ANY = "any"
# Something was shown in plain.
CLEAR = "clear"
# An act at which something of a customer was shown: what nearly every question is narrowed to.
LOOK = "look"

# Who has one of these forms of a class before them has seen something of it.
SEEN = (Form.MASK.name.lower(), Form.PLAIN.name.lower())
PLAIN = Form.PLAIN.name.lower()

# Index, time, tenant, kind, region, vendor, team, purpose, link, shown.
ClearRow: TypeAlias = tuple[Any, ...]

# One of these terms, and one of those.
Groups: TypeAlias = Sequence[tuple[str, ...]]

# What has run out says nothing any more; its hash stays for the proofs.
IS_THERE = func.length(detail_event.c.sealed) > HASH_SIZE

_COLUMNS = ("at", "tenant", "kind", "region", "vendor", "team", "purpose", "link", "shown")
CLEAR_COLUMNS = (detail_event.c.idx, *(detail_event.c[name] for name in _COLUMNS))
_CLEAR_ROWS = (
    select(*CLEAR_COLUMNS)
    .where(
        detail_event.c.idx >= bindparam("start"), detail_event.c.idx < bindparam("end"), IS_THERE
    )
    .order_by(detail_event.c.idx)
)
_NEWEST = select(log_block).order_by(log_block.c.block.desc()).limit(1)
_REACHES = (
    select(log_block.c.block)
    .where(log_block.c.high >= bindparam("at"))
    .order_by(log_block.c.high, log_block.c.block)
    .limit(1)
)
_BLOCK_BEFORE = (
    select(log_block.c.block)
    .where(log_block.c.block <= bindparam("most"), log_block.c.low < bindparam("until"))
    .order_by(log_block.c.block.desc())
    .limit(1)
)
_WITHIN = (detail_event.c.idx >= bindparam("start"), detail_event.c.idx < bindparam("end"))
_FIRST_SINCE = (
    select(detail_event.c.idx)
    .where(*_WITHIN, detail_event.c.at >= bindparam("since"))
    .order_by(detail_event.c.idx)
    .limit(1)
)
_LAST_BEFORE = (
    select(detail_event.c.idx)
    .where(*_WITHIN, detail_event.c.at < bindparam("until"))
    .order_by(detail_event.c.idx.desc())
    .limit(1)
)
_EARLIEST = select(func.min(detail_event.c.at).label("at")).where(*_WITHIN)
_TERMS = select(log_term.c.tenant, log_term.c.term, log_term.c.block, log_term.c.places).where(
    log_term.c.block >= bindparam("start"), log_term.c.block < bindparam("end")
)
_columns_of = itemgetter(*_COLUMNS)
_BITS = tuple(1 << place for place in range(BLOCK))


def term(name: str, value: str) -> str:
    """The term of entries whose `name` is `value`: `vendor:acme`, `field:contact`."""
    return f"{name}:{value}"


def kind_term(number: int) -> str:
    """The term of entries of a kind: `kind:view`."""
    return term("kind", EntryKind(number).name.lower())


def kind_terms(number: int) -> tuple[str, ...]:
    """The terms of entries of a kind: its own, and whether it is a look."""
    return (kind_term(number), LOOK) if number in LOOKS else (kind_term(number),)


def shown_terms(shown: str) -> Iterator[str]:
    """The terms of what an entry showed: of each class that was seen, and of what was plain."""
    for word in shown.split():
        cls, _, form = word.rpartition("=")
        if form in SEEN:
            yield term("field", cls)
        if form == PLAIN:
            yield term(CLEAR, cls)
            yield CLEAR


def bits_of(rows: Sequence[ClearRow]) -> dict[tuple[str, str], int]:
    """The bits of each (tenant, term) in a block, from its entries' clear columns."""
    # Columns that go together are looked up together: few rows of a block differ in all of them.
    by_org: dict[tuple[Any, ...], int] = defaultdict(int)
    by_act: dict[tuple[Any, ...], int] = defaultdict(int)
    by_shown: dict[tuple[Any, ...], int] = defaultdict(int)
    for idx, _, tenant, kind, region, vendor, team, purpose, link, shown in rows:
        bit = _BITS[idx % BLOCK]
        by_org[tenant, region, vendor, team] |= bit
        by_act[tenant, kind, purpose, link] |= bit
        by_shown[tenant, shown] |= bit
    found: dict[tuple[str, str], int] = defaultdict(int)
    for (tenant, region, vendor, team), bits in by_org.items():
        found[tenant, ANY] |= bits
        for name, value in (("region", region), ("vendor", vendor), ("team", team)):
            found[tenant, term(name, value)] |= bits
    for (tenant, kind, purpose, link), bits in by_act.items():
        for one in (*kind_terms(kind), term("purpose", purpose), term("link", link)):
            found[tenant, one] |= bits
    for (tenant, shown), bits in by_shown.items():
        for one in shown_terms(shown or ""):
            found[tenant, one] |= bits
    return found


def places_in(block: int, bits: int) -> Iterator[int]:
    """The indexes that the bits of a block stand for, newest first."""
    while bits:
        top = bits.bit_length() - 1
        yield block * BLOCK + top
        bits ^= _BITS[top]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Candidates, newest first, down to `low`; below it nothing was looked at (None: the end)."""

    indexes: list[int]
    low: int | None


@dataclass(slots=True)
class _Held:
    """The blocks of a group of terms that were read: all from `low` on, each with its bits."""

    bits: dict[int, int]
    low: int


class LogTermReads(Session):
    """Finding entries by terms, and stretches of the log by time."""

    def indexed(self) -> int:
        """The number of entries in finished blocks: from this index on there are no terms."""
        row = self._first(_NEWEST)
        return 0 if row is None else (int(row.block) + 1) * BLOCK

    def span(self, since: Micros | None, until: Micros | None, size: int) -> tuple[int, int]:
        """Bounds [first, before) of the indexes of all entries of [since, until) below `size`.

        Time nearly follows the index: an entry is late where others of later times were placed
        before it. At both ends there is an entry of that time, however late others came.
        """
        newest = self._first(_NEWEST)
        if newest is None or (since is None and until is None):
            return 0, size
        indexed = (int(newest.block) + 1) * BLOCK
        first = 0 if since is None else self._first_since(since, indexed)
        if until is None or self._has_earlier(indexed, size, until):
            return first, size
        reaches = self._first(_REACHES, {"at": until + int(newest.late)})
        if reaches is not None:
            size = min(size, (int(reaches.block) + 1) * BLOCK)
        return first, self.last_before(until, first, min(size, indexed))

    def _first_since(self, since: Micros, indexed: int) -> int:
        """From where on there are entries of `since` or later, of which some have no terms."""
        reaches = self._first(_REACHES, {"at": since})
        if reaches is None:
            return indexed
        start = int(reaches.block) * BLOCK
        found = self._first(_FIRST_SINCE, {"start": start, "end": start + BLOCK, "since": since})
        return start if found is None else int(found.idx)

    def last_before(self, until: Micros, first: int, before: int) -> int:
        """The bound `before`, within finished blocks, moved down over entries that are too new.

        Blocks without an earlier entry are passed over, as one that came hours late would
        otherwise have every page in between look at nothing else.
        """
        while before > first:
            block = self._first(_BLOCK_BEFORE, {"most": (before - 1) // BLOCK, "until": until})
            if block is None:
                break
            start = int(block.block) * BLOCK
            before = min(before, start + BLOCK)
            found = self._first(_LAST_BEFORE, {"start": start, "end": before, "until": until})
            if found is not None:
                return max(first, int(found.idx) + 1)
            before = start
        return first

    def _has_earlier(self, indexed: int, size: int, until: Micros) -> bool:
        """Whether the entries without terms, of whose times nothing is kept, may reach back."""
        if size <= indexed:
            return False
        if size - indexed > CATCH_UP * BLOCK:
            return True
        row = self._first(_EARLIEST, {"start": indexed, "end": size})
        return row is not None and row.at is not None and row.at < until

    def holding(
        self,
        tenant: str,
        groups: Groups,
        without: tuple[str, ...],
        *,
        first: int,
        before: int,
        wanted: int,
    ) -> Stretch:
        """Entries of finished blocks in [first, before) with a term of each group.

        None of them has one of `without`. Stops at `wanted`, or when the work of a page is done.
        """
        lowest, high = first // BLOCK, (before - 1) // BLOCK
        found: list[int] = []
        for _ in range(STEPS):
            if high < lowest:
                break
            low, held = self._step(tenant, groups, without, high, lowest)
            for block, bits in held:
                if block == before // BLOCK:
                    bits &= _BITS[before % BLOCK] - 1  # noqa: PLW2901 - the page before has the rest
                for index in places_in(block, bits):
                    found.append(index)
                    if len(found) >= wanted:
                        return Stretch(found, index)
            high = low - 1
        return Stretch(found, None if high < lowest else (high + 1) * BLOCK)

    def _step(
        self, tenant: str, groups: Groups, without: tuple[str, ...], high: int, lowest: int
    ) -> tuple[int, list[tuple[int, int]]]:
        """One step down from block `high`: how far it went, and the blocks with all, newest first.

        The rarest group leads: it goes furthest, and of the others only its blocks are read.
        """
        held = self._newest_of(tenant, groups, high, lowest)
        lead = min(held, key=lambda one: (one.low, len(one.bits)))
        others = [one for one in held if one is not lead]
        blocks = [block for block in lead.bits if block >= lead.low]
        missing = {block for one in others for block in blocks if block < one.low}
        terms = {name for group in groups for name in group}
        seen = self.bits_in(tenant, terms, missing) | self.bits_in(tenant, without, blocks)
        both = []
        for block in sorted(blocks, reverse=True):
            bits = lead.bits[block]
            for one, group in zip(held, groups, strict=True):
                if one is lead:
                    continue
                known = one.bits.get(block, 0) if block >= one.low else _any_of(seen, group, block)
                bits &= known
            bits &= ~_any_of(seen, without, block)
            if bits:
                both.append((block, bits))
        return lead.low, both

    def _newest_of(self, tenant: str, groups: Groups, high: int, lowest: int) -> list[_Held]:
        """For each group its newest blocks from `high` downwards, and how far that is complete."""
        terms = [name for group in groups for name in group]
        values: dict[str, Any] = {"tenant": tenant, "high": high, "lowest": lowest}
        values |= {f"term{n}": name for n, name in enumerate(terms)}
        read: dict[str, dict[int, int]] = {name: {} for name in terms}
        for name, block, places in self._bare(_newest(len(terms)), values):
            read[name][block] = int.from_bytes(places)
        held = []
        for group in groups:
            lows = [min(read[name]) if len(read[name]) == STEP else lowest for name in group]
            one = _Held({}, max(lows))
            for name in group:
                for block, bits in read[name].items():
                    if block >= one.low:
                        one.bits[block] = one.bits.get(block, 0) | bits
            held.append(one)
        return held

    def bits_in(
        self, tenant: str, terms: Iterable[str], blocks: Iterable[int]
    ) -> dict[tuple[str, int], int]:
        """The bits of those of these terms that are in these blocks, by term and block."""
        values = {"tenant": tenant, "terms": sorted(terms), "blocks": sorted(blocks)}
        if not values["terms"] or not values["blocks"]:
            return {}
        rows = self._all(_of_blocks(self._dialect), values)
        return {(row.term, row.block): int.from_bytes(row.places) for row in rows}

    def misindexed(self) -> int | None:
        """See `ReadView.misindexed`."""
        count = self.indexed() // BLOCK
        for start in range(0, count, CHECKED):
            end = min(start + CHECKED, count)
            kept: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
            for tenant, name, block, places in self._bare(_TERMS, {"start": start, "end": end}):
                kept[block][tenant, name] = int.from_bytes(places)
            for block in range(start, end):
                if not self._is_indexed_right(block, kept[block]):
                    return block * BLOCK
        return None

    def _is_indexed_right(self, block: int, held: Mapping[tuple[str, str], int]) -> bool:
        """Whether a block's terms are those of its entries; of entries that are gone, no matter."""
        rows = self._clear_rows(block * BLOCK, (block + 1) * BLOCK)
        left = sum(_BITS[row[0] % BLOCK] for row in rows)
        expected = bits_of(rows)
        kept = {one: bits & left for one, bits in held.items()}
        return all(kept.get(one, 0) == expected.get(one, 0) for one in kept.keys() | expected)

    def _clear_rows(self, start: int, end: int) -> list[ClearRow]:
        return self._bare(_CLEAR_ROWS, {"start": start, "end": end})


class LogTermWrites(LogTermReads, WriteSession):
    """Indexing blocks as they get full."""

    def index_blocks(self, size: int, placed: Mapping[int, Mapping[str, Any]]) -> None:
        """Index the finished blocks of a log of `size` that are not yet.

        `placed` are the clear columns of entries that this transaction placed, by index: they are
        not read again.
        """
        newest = self._first(_NEWEST)
        block, high, late = (-1, 0, 0) if newest is None else tuple(newest)[:3]
        for number in range(block + 1, min(size // BLOCK, block + 1 + CATCH_UP)):
            rows = self._rows_of(number, placed)
            times = [row[1] for row in rows]
            highs = list(accumulate(times, max, initial=high))
            high, late = highs[-1], max([late, *map(sub, highs[1:], times)])
            self._add(
                log_term,
                [
                    (tenant, name, number, bits.to_bytes(BLOCK_BYTES))
                    for (tenant, name), bits in bits_of(rows).items()
                ],
            )
            values = {"block": number, "high": high, "late": late, "low": min(times, default=high)}
            self._write(insert(log_block), values)

    def _rows_of(self, block: int, placed: Mapping[int, Mapping[str, Any]]) -> list[ClearRow]:
        start, end = block * BLOCK, (block + 1) * BLOCK
        known = min(placed)
        rows = self._clear_rows(start, min(known, end))
        for index in range(max(start, known), end):
            rows.append((index, *_columns_of(placed[index])))
        return rows


def _any_of(seen: Mapping[tuple[str, int], int], terms: Iterable[str], block: int) -> int:
    bits = 0
    for name in terms:
        bits |= seen.get((name, block), 0)
    return bits


@cache
def _of_blocks(dialect: str) -> Select[Any]:
    """The places of terms in blocks."""
    return select(log_term.c.term, log_term.c.block, log_term.c.places).where(
        log_term.c.tenant == bindparam("tenant"),
        is_among(dialect, log_term.c.term, "terms"),
        is_among(dialect, log_term.c.block, "blocks"),
    )


@cache
def _newest(count: int) -> CompoundSelect[Any]:
    """The newest blocks of so many terms, each found by its own way down the primary key."""
    return union_all(*(select(_newest_blocks(n).subquery()) for n in range(count)))


def _newest_blocks(number: int) -> Select[Any]:
    return (
        select(log_term.c.term, log_term.c.block, log_term.c.places)
        .where(
            log_term.c.tenant == bindparam("tenant"),
            log_term.c.term == bindparam(f"term{number}"),
            log_term.c.block <= bindparam("high"),
            log_term.c.block >= bindparam("lowest"),
        )
        .order_by(log_term.c.block.desc())
        .limit(STEP)
    )
