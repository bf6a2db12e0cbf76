"""Views that nothing strong explained, and the grade that a late case gave them."""

from collections.abc import Collection

from sqlalchemy import bindparam, or_, select

from guard.clock import Micros
from guard.entries import EntryKind
from guard.rows import UnlinkedView
from guard.store.statements import Session, WriteSession
from guard.store.tables import detail_event, detail_subject, entry, late_link
from policies.model import Link

# What a case that comes late may repair. A view of a case that the agent opened is none of these.
REPAIRABLE = (Link.PENDING.value, Link.NONE.value, Link.STALE.value)
VIEWS = (
    EntryKind.VIEW.value,
    EntryKind.REVEAL.value,
    EntryKind.LISTED.value,
    EntryKind.VERIFICATION.value,
)

_UNLINKED = (
    select(
        detail_event.c.idx,
        entry.c.entry_id,
        detail_event.c.agent,
        detail_event.c.actor,
        detail_event.c.link,
    )
    .join(detail_subject, detail_subject.c.idx == detail_event.c.idx)
    .join(entry, entry.c.idx == detail_event.c.idx)
    .outerjoin(late_link, late_link.c.idx == detail_event.c.idx)
    .where(
        detail_subject.c.ref == bindparam("ref"),
        detail_event.c.tenant == bindparam("tenant"),
        detail_event.c.at >= bindparam("since"),
        detail_event.c.kind.in_(VIEWS),
        detail_event.c.link.in_(REPAIRABLE),
        or_(
            detail_event.c.agent == bindparam("agent_id"),
            detail_event.c.actor == bindparam("agent_id"),
        ),
        late_link.c.idx.is_(None),
    )
    .order_by(detail_subject.c.idx.desc())
    .limit(bindparam("limit"))
)
_REPAIRED = select(late_link.c.idx, late_link.c.link).where(
    late_link.c.idx.in_(bindparam("indexes", expanding=True))
)


class LateLinkReads(Session):
    """Finding what a late case may repair, and what one has repaired."""

    def unlinked_views(
        self, tenant: str, ref: str, agent_id: str, since: Micros, limit: int
    ) -> list[UnlinkedView]:
        """See `ReadView.unlinked_views`."""
        asked = {"tenant": tenant, "ref": ref, "agent_id": agent_id, "since": since, "limit": limit}
        return [
            UnlinkedView(
                index=row.idx,
                entry_id=row.entry_id,
                agent_id=row.agent,
                actor_id=row.actor,
                link=row.link,
            )
            for row in self._all(_UNLINKED, asked)
        ]

    def late_links(self, indexes: Collection[int]) -> dict[int, str]:
        """See `ReadView.late_links`."""
        if not indexes:
            return {}
        return {row.idx: row.link for row in self._all(_REPAIRED, {"indexes": sorted(indexes)})}


class LateLinkWrites(LateLinkReads, WriteSession):
    """Keeping repaired grades."""

    def put_late_link(self, tenant: str, index: int, link: str) -> None:
        """See `UnitOfWork.put_late_link`."""
        self._keep(late_link, [{"tenant": tenant, "idx": index, "link": link}])
