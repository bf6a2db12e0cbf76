"""The sealed event parts of many entries, and nothing else of them: what a replay reads.

One narrow statement per chunk, in the order of the log. Leaves, hashes and search columns stay
where they are: the seal itself binds a part to its entry, tenant and month.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select

from guard.entries import SealedPart
from guard.rows import PartQuery
from guard.store.statements import Session
from guard.store.tables import detail_event, detail_subject, entry

_PARTS = (
    select(
        detail_event.c.idx,
        entry.c.entry_id,
        detail_event.c.kind,
        detail_event.c.epoch,
        detail_event.c.sealed,
    )
    .join(entry, entry.c.idx == detail_event.c.idx)
    .where(
        detail_event.c.tenant == bindparam("tenant"),
        detail_event.c.idx > bindparam("after"),
        detail_event.c.idx < bindparam("size"),
        detail_event.c.at >= bindparam("since"),
        detail_event.c.at < bindparam("until"),
        detail_event.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(detail_event.c.idx)
    .limit(bindparam("limit"))
)
_REFS = (
    select(detail_subject.c.idx, detail_subject.c.ref)
    .where(detail_subject.c.idx.in_(bindparam("indexes", expanding=True)))
    .order_by(detail_subject.c.idx, detail_subject.c.position)
)


class EventPartReads(Session):
    """Reading event parts in bulk."""

    def event_parts(self, query: PartQuery, after: int, limit: int) -> list[SealedPart]:
        """See `ReadView.event_parts`."""
        values = {
            "tenant": query.tenant,
            "after": after,
            "size": query.size,
            "since": query.since,
            "until": query.until,
            "kinds": [kind.value for kind in query.kinds],
            "limit": limit,
        }
        return self._bare(_PARTS, values)

    def refs_of(self, indexes: Collection[int]) -> Mapping[int, tuple[str, ...]]:
        """See `ReadView.refs_of`."""
        found: dict[int, tuple[str, ...]] = dict.fromkeys(indexes, ())
        if indexes:
            for row in self._all(_REFS, {"indexes": sorted(indexes)}):
                found[row.idx] = (*found[row.idx], row.ref)
        return found
