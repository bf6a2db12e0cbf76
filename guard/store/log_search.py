"""Questions to the log, answered in pages with a bounded amount of work each.

What names a customer or an agent goes by that index, everything else by terms (`log_terms`). Either
gives candidate indexes, newest first; their rows are then read and held against every clear column
that was asked for. Where the work of a page is done before the page is full, the answer says down
to which index it has looked: a rare combination takes more pages, never a longer one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, literal_column, or_, select

from guard.entries import LOOKS, StoredEntry
from guard.rows import LogAnswer, LogCount, LogQuery
from guard.store.entries import STORED, EntryReads
from guard.store.log_terms import (
    ANY,
    BLOCK,
    CLEAR,
    IS_THERE,
    LOOK,
    PLAIN,
    SEEN,
    Groups,
    Stretch,
    kind_term,
    term,
)
from guard.store.statements import is_among
from guard.store.tables import detail_event, detail_subject

# Candidates of one customer or agent that a page looks at: their rows take some milliseconds.
SCANNED = 512

# Candidates whose rows are read by one statement.
CHUNK = 128

# How often a page that is not full goes on below where it has looked.
TRIES = 4

# Entries that are not in a finished block, and that a page reads at most: more wait only after an
# upgrade.
UNINDEXED = 2 * BLOCK

_EQUAL = ("team", "vendor", "purpose", "link")

_OF_SUBJECT = (
    select(detail_subject.c.idx)
    .where(
        detail_subject.c.ref == bindparam("ref"),
        detail_subject.c.idx >= bindparam("first"),
        detail_subject.c.idx < bindparam("before"),
    )
    .order_by(detail_subject.c.idx.desc())
    # An export can name a customer twice; its entry is one all the same.
    .distinct()
    .limit(SCANNED)
)


def _of(column: ColumnElement[str], *more: ColumnElement[bool]) -> Select[Any]:
    return (
        select(detail_event.c.idx)
        .where(
            detail_event.c.tenant == bindparam("tenant"),
            column == bindparam("agent"),
            detail_event.c.idx >= bindparam("first"),
            detail_event.c.idx < bindparam("before"),
            *more,
        )
        .order_by(detail_event.c.idx.desc())
        .limit(SCANNED)
    )


_OF_AGENT = _of(detail_event.c.agent)
# The second condition is what makes the partial index one that can be used: as a literal, since
# PostgreSQL plans a statement that comes often without its values, and then read the whole log.
_OF_ACTOR = _of(detail_event.c.actor, detail_event.c.actor != literal_column("''"))


class LogSearch(EntryReads):
    """Answering questions."""

    def search(self, query: LogQuery) -> list[StoredEntry]:
        """See `ReadView.search`."""
        found: list[StoredEntry] = []
        before = query.before
        while len(found) < query.limit:
            rows, before = self._page(query, before, query.limit - len(found))
            found += self.stored(rows)
            if before is None:
                break
        return found

    def answer(self, query: LogQuery) -> LogAnswer:
        """See `ReadView.answer`."""
        rows, following = self._page(query, query.before, query.limit)
        return LogAnswer(entries=self.stored(rows), following=following)

    def count(self, query: LogQuery, most: int) -> LogCount:
        """See `ReadView.count`."""
        look = self._look(query, query.before, most + 1)
        if not _is_of_one(query) and query.since is None and query.until is None:
            # Terms are exact: no row has to be read.
            is_exact = look.low is None and len(look.indexes) <= most
            return LogCount(count=min(len(look.indexes), most), is_exact=is_exact)
        found = 0
        among = is_among(self._dialect, detail_event.c.idx, "indexes")
        counted = select(func.count().label("found")).where(among, IS_THERE, *_conditions(query))
        for chunk in _chunks(look.indexes):
            row = self._first(counted, {"indexes": chunk})
            found += 0 if row is None else row.found
        is_exact = look.low is None and found <= most
        return LogCount(count=min(found, most), is_exact=is_exact)

    def _page(
        self, query: LogQuery, before: int | None, wanted: int
    ) -> tuple[list[Row[Any]], int | None]:
        """Rows of at most `wanted` entries, and below which index there may be more."""
        rows: list[Row[Any]] = []
        low: int | None = before
        rows_of = _rows_of(query, self._dialect)
        for _ in range(TRIES):
            left = wanted - len(rows)
            look = self._look(query, low, left)
            for chunk in _chunks(look.indexes):
                rows += self._all(rows_of, {"indexes": chunk, "most": wanted - len(rows)})
                if len(rows) >= wanted:
                    return rows[:wanted], rows[wanted - 1].idx
            low = look.low
            if low is None or len(look.indexes) < left or _is_of_one(query):
                break
        return rows, low

    def _look(self, query: LogQuery, before: int | None, wanted: int) -> Stretch:
        """Candidates: every entry of the answer that is not below `low` is among them."""
        size = self.head()[0]
        first, end = self.span(
            query.since, query.until, size if before is None else min(size, before)
        )
        if end <= first:
            return Stretch([], None)
        if query.ref is not None:
            return self._of_one([_OF_SUBJECT], {"ref": query.ref, "first": first, "before": end})
        if query.agent_id is not None:
            values = {"tenant": query.tenant, "agent": query.agent_id}
            bounds = {"first": first, "before": end}
            return self._of_one([_OF_AGENT, _OF_ACTOR], values | bounds)
        return self._by_terms(query, first, end, wanted)

    def _of_one(self, statements: Sequence[Select[Any]], values: dict[str, Any]) -> Stretch:
        indexes: set[int] = set()
        low: int | None = None
        for statement in statements:
            found = [idx for (idx,) in self._bare(statement, values)]
            indexes.update(found)
            if len(found) == SCANNED:
                low = max(found[-1], -1 if low is None else low)
        ordered = sorted(indexes, reverse=True)
        return Stretch(ordered if low is None else [i for i in ordered if i >= low], low)

    def _by_terms(self, query: LogQuery, first: int, end: int, wanted: int) -> Stretch:
        indexed = self.indexed()
        newest: list[int] = []
        if end > indexed:
            start = max(first, indexed, end - UNINDEXED)
            within = (detail_event.c.idx >= start, detail_event.c.idx < end)
            where = (*within, IS_THERE, *_conditions(query))
            rows = self._all(
                select(detail_event.c.idx)
                .where(*where)
                .order_by(detail_event.c.idx.desc())
                .limit(wanted)
            )
            newest = [row.idx for row in rows]
            if len(newest) == wanted:
                return Stretch(newest, newest[-1])
            if start == first:
                return Stretch(newest, None)
            if start > indexed:
                return Stretch(newest, start)
        before = min(end, indexed)
        if query.until is not None and before < end:
            before = self.last_before(query.until, first, before)
            if before <= first:
                return Stretch(newest, None)
        look = self.holding(
            query.tenant,
            _groups(query),
            tuple(term("region", name) for name in query.not_regions),
            first=first,
            before=before,
            wanted=wanted - len(newest),
        )
        return Stretch(newest + look.indexes, look.low)


def _is_of_one(query: LogQuery) -> bool:
    return query.ref is not None or query.agent_id is not None


def _groups(query: LogQuery) -> Groups:
    """What to look for among the terms."""
    equal = {name: getattr(query, name) for name in _EQUAL}
    groups: list[tuple[str, ...]] = [
        (term(name, value),) for name, value in equal.items() if value is not None
    ]
    if set(query.kinds) == set(LOOKS):
        groups.append((LOOK,))
    elif query.kinds:
        groups.append(tuple(kind_term(kind) for kind in query.kinds))
    if query.regions:
        groups.append(tuple(term("region", name) for name in query.regions))
    if query.field is not None:
        groups.append((term(CLEAR if query.is_clear else "field", query.field),))
    elif query.is_clear:
        groups.append((CLEAR,))
    return groups or [(ANY,)]


def _conditions(query: LogQuery) -> list[ColumnElement[bool]]:
    """The same, as conditions on the clear columns of a row."""
    columns = detail_event.c
    where: list[ColumnElement[bool]] = [columns.tenant == query.tenant]
    equal = {name: getattr(query, name) for name in _EQUAL}
    where += [columns[name] == value for name, value in equal.items() if value is not None]
    if query.agent_id is not None:
        where.append(or_(columns.agent == query.agent_id, columns.actor == query.agent_id))
    if query.kinds:
        where.append(columns.kind.in_([kind.value for kind in query.kinds]))
    if query.regions:
        where.append(columns.region.in_(query.regions))
    if query.not_regions:
        where.append(columns.region.not_in(query.not_regions))
    if query.since is not None:
        where.append(columns.at >= query.since)
    if query.until is not None:
        where.append(columns.at < query.until)
    if query.field is not None or query.is_clear:
        where.append(_has_shown(query.field or "", (PLAIN,) if query.is_clear else SEEN))
    return where


def filtered(page: Select[Any], query: LogQuery) -> Select[Any]:
    """A selection from `detail_event` and `entry`, cut down to what a query asks for.

    What has run out is there too: whoever counts a whole must count that as well.
    """
    page, place = page.where(*_conditions(query)), detail_event.c.idx
    if query.ref is not None:
        # An export can name a customer twice; its entry is one all the same.
        place = detail_subject.c.idx
        page = page.join(detail_subject, detail_subject.c.idx == detail_event.c.idx).distinct()
        page = page.where(detail_subject.c.ref == query.ref)
    return page if query.before is None else page.where(place < query.before)


def _has_shown(cls: str, forms: Sequence[str]) -> ColumnElement[bool]:
    """A word of `shown` names this class (any, if empty) in one of these forms."""
    padded = " " + detail_event.c.shown + " "
    lead = f" {cls}=" if cls else "="
    return or_(*(padded.contains(f"{lead}{form} ", autoescape=True) for form in forms))


def _rows_of(query: LogQuery, dialect: str) -> Select[Any]:
    among = is_among(dialect, detail_event.c.idx, "indexes")
    page = STORED.where(among, IS_THERE, *_conditions(query))
    return page.order_by(detail_event.c.idx.desc()).limit(bindparam("most"))


def _chunks(indexes: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(indexes), CHUNK):
        yield indexes[start : start + CHUNK]
