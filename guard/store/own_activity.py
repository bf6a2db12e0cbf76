"""What one agent did, counted by day from the clear columns: nothing is opened for it."""

from collections.abc import Collection

from sqlalchemy import bindparam, func, select

from guard.clock import DAY, Micros
from guard.entries import EntryKind
from guard.rows import ActivityRow
from guard.store.statements import Session
from guard.store.tables import detail_event

_DAY = detail_event.c.at - detail_event.c.at % DAY
_GROUPS = (
    _DAY,
    detail_event.c.kind,
    detail_event.c.purpose,
    detail_event.c.link,
    detail_event.c.outcome,
)
_ACTIVITY = (
    select(
        _DAY.label("day"),
        detail_event.c.kind,
        detail_event.c.purpose,
        detail_event.c.link,
        detail_event.c.outcome,
        func.count().label("number"),
    )
    .where(
        detail_event.c.tenant == bindparam("tenant"),
        detail_event.c.agent == bindparam("agent_id"),
        detail_event.c.at >= bindparam("since"),
        detail_event.c.at < bindparam("until"),
        detail_event.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .group_by(*_GROUPS)
    .order_by(*_GROUPS)
)


class ActivityReads(Session):
    """Counting what somebody did."""

    def activity(
        self,
        tenant: str,
        agent_id: str,
        kinds: Collection[EntryKind],
        since: Micros,
        until: Micros,
    ) -> list[ActivityRow]:
        """See `ReadView.activity`."""
        asked = {
            "tenant": tenant,
            "agent_id": agent_id,
            "since": since,
            "until": until,
            "kinds": [kind.value for kind in kinds],
        }
        return [
            ActivityRow(
                day=row.day,
                kind=EntryKind(row.kind),
                purpose=row.purpose,
                link=row.link,
                outcome=row.outcome,
                count=row.number,
            )
            for row in self._all(_ACTIVITY, asked)
        ]
