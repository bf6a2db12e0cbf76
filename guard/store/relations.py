"""Relations between customers, ties of people to them, what a sample is drawn from, deliveries.

Each is small and changes rarely; what a view needs of them is read by `guard.store.situations` in
statements of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import and_, bindparam, delete, exists, select, tuple_

from guard.clock import Micros
from guard.rows import (
    AssignmentRow,
    CaseRow,
    KnownCase,
    RelationRow,
    TieRow,
    WebhookDeliveryRow,
)
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import (
    assignment,
    principal,
    relation,
    support_case,
    tie,
    webhook_delivery,
)
from policies.model import Tie

_RELATED = (
    select(relation)
    .where(relation.c.tenant == bindparam("tenant"), relation.c.ref == bindparam("ref"))
    .order_by(relation.c.other)
)
_DROP_RELATION = delete(relation).where(
    relation.c.tenant == bindparam("of_tenant"),
    relation.c.ref == bindparam("of_ref"),
    relation.c.other == bindparam("of_other"),
)
_TIE = select(tie).where(
    tie.c.tenant == bindparam("tenant"),
    tie.c.principal_id == bindparam("principal_id"),
    tie.c.ref == bindparam("ref"),
)
_DROP_TIE = delete(tie).where(
    tie.c.tenant == bindparam("of_tenant"),
    tie.c.principal_id == bindparam("of_principal"),
    tie.c.ref == bindparam("of_ref"),
)
_DELIVERY = select(webhook_delivery).where(
    webhook_delivery.c.tenant == bindparam("tenant"),
    webhook_delivery.c.source == bindparam("source"),
    webhook_delivery.c.id == bindparam("id"),
)
_FORGET_DELIVERIES = delete(webhook_delivery).where(webhook_delivery.c.at < bindparam("keep_since"))

_OF_CASE = and_(
    assignment.c.tenant == support_case.c.tenant, assignment.c.case_id == support_case.c.id
)
_BY_TEAM = exists().where(
    _OF_CASE,
    assignment.c.how != "qa",
    principal.c.tenant == assignment.c.tenant,
    principal.c.id == assignment.c.agent_id,
    principal.c.team == bindparam("team"),
)
_REVIEWED = exists().where(_OF_CASE, assignment.c.how == "qa")
_CLOSED = (
    select(support_case)
    .where(
        support_case.c.tenant == bindparam("tenant"),
        support_case.c.closed_at >= bindparam("since"),
        support_case.c.closed_at < bindparam("until"),
        _BY_TEAM,
        ~_REVIEWED,
    )
    .order_by(support_case.c.id)
    .limit(bindparam("limit"))
)
_ASSIGNED = (
    select(assignment)
    .where(
        tuple_(assignment.c.tenant, assignment.c.case_id).in_(bindparam("cases", expanding=True))
    )
    .order_by(assignment.c.from_at, assignment.c.agent_id)
)


class RelationReads(Session):
    """Finding relations, ties, closed cases and deliveries."""

    def related(self, tenant: str, ref: str) -> list[RelationRow]:
        """See `ReadView.related`."""
        rows = self._all(_RELATED, {"tenant": tenant, "ref": ref})
        return [RelationRow(**values_of(row)) for row in rows]

    def tie(self, tenant: str, principal_id: str, ref: str) -> TieRow | None:
        """See `ReadView.tie`."""
        row = self._first(_TIE, {"tenant": tenant, "principal_id": principal_id, "ref": ref})
        return None if row is None else TieRow(**values_of(row) | {"tie": Tie(row.tie)})

    def closed_cases(
        self, tenant: str, team: str, since: Micros, until: Micros, limit: int
    ) -> list[KnownCase]:
        """See `ReadView.closed_cases`."""
        asked = {"tenant": tenant, "team": team, "since": since, "until": until, "limit": limit}
        cases = [CaseRow(**values_of(row)) for row in self._all(_CLOSED, asked)]
        worked: defaultdict[str, list[AssignmentRow]] = defaultdict(list)
        if cases:
            for row in self._all(_ASSIGNED, {"cases": [(one.tenant, one.id) for one in cases]}):
                worked[row.case_id].append(AssignmentRow(**values_of(row)))
        return [KnownCase(case=one, assignments=tuple(worked[one.id])) for one in cases]

    def webhook_delivery(
        self, tenant: str, source: str, delivery_id: str
    ) -> WebhookDeliveryRow | None:
        """See `ReadView.webhook_delivery`."""
        row = self._first(_DELIVERY, {"tenant": tenant, "source": source, "id": delivery_id})
        return None if row is None else WebhookDeliveryRow(**values_of(row))


class RelationWrites(RelationReads, WriteSession):
    """Changing relations and ties; keeping deliveries."""

    def put_relations(self, rows: Sequence[RelationRow]) -> None:
        """See `UnitOfWork.put_relations`."""
        self._put(relation, [asdict(row) for row in rows])

    def drop_relations(self, rows: Sequence[RelationRow]) -> None:
        """See `UnitOfWork.drop_relations`."""
        named = [{"of_tenant": r.tenant, "of_ref": r.ref, "of_other": r.other} for r in rows]
        self._write(_DROP_RELATION, named)

    def put_tie(self, row: TieRow) -> None:
        """See `UnitOfWork.put_tie`."""
        if row.tie is Tie.NONE:
            named = {
                "of_tenant": row.tenant,
                "of_principal": row.principal_id,
                "of_ref": row.ref,
            }
            self._write(_DROP_TIE, named)
        else:
            self._put(tie, [asdict(row) | {"tie": row.tie.value}])

    def put_webhook_delivery(self, row: WebhookDeliveryRow, keep_since: Micros) -> None:
        """See `UnitOfWork.put_webhook_delivery`."""
        self._write(_FORGET_DELIVERIES, {"keep_since": keep_since})
        self._put(webhook_delivery, [asdict(row)])
