"""What may link somebody to a customer, for many queries at once: cases, relations, ties, grants.

Every method answers all its queries with one or two statements, whatever their number, and deals
the rows out in memory. What a link is worth is decided by `guard.purposes.explanation`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Row, and_, bindparam, exists, func, or_, select, tuple_

from guard.clock import DAY, Micros
from guard.entries import EntryKind
from guard.rows import (
    AssignmentRow,
    CaseRow,
    GrantKind,
    GrantRow,
    KnownCase,
    SituationQuery,
)
from guard.store.statements import Session, values_of
from guard.store.tables import (
    access_grant,
    assignment,
    detail_event,
    detail_subject,
    late_link,
    relation,
    support_case,
    tie,
)
from policies.model import Link, Tie

# (tenant, who, customer): what every link is looked up by.
Pair: TypeAlias = tuple[str, str, str]

# How far back a view without a link is remembered, for the grace of a late case.
REMEMBERED: Micros = DAY

# Work that came to somebody; what they took by themselves, or only review, lends no reason further.
_CAME = ("inbound", "transfer", "escalation", "consult", "queue")

_REFS: BindParameter[Any] = bindparam("refs", expanding=True)
_AGENTS: BindParameter[Any] = bindparam("agents", expanding=True)

_OF_CASE = and_(
    assignment.c.tenant == support_case.c.tenant, assignment.c.case_id == support_case.c.id
)
_CASES = select(support_case).where(
    tuple_(support_case.c.tenant, support_case.c.id).in_(bindparam("cases", expanding=True))
)
_OWN_CASES = (
    select(support_case, assignment.c.agent_id)
    .distinct()
    .join(assignment, _OF_CASE)
    .where(support_case.c.ref.in_(_REFS), assignment.c.agent_id.in_(_AGENTS))
    .order_by(support_case.c.id)
)
_ASSIGNMENTS = (
    select(assignment)
    .where(
        tuple_(assignment.c.tenant, assignment.c.case_id).in_(bindparam("cases", expanding=True))
    )
    .order_by(assignment.c.from_at, assignment.c.agent_id)
)
_RELATED = select(relation).where(
    relation.c.tenant.in_(bindparam("tenants", expanding=True)), relation.c.ref.in_(_REFS)
)
# By customer first: a join with the relations is planned over all assignments of a tenant.
_OPEN_CASES = (
    select(
        support_case.c.tenant,
        support_case.c.ref,
        support_case.c.id,
        support_case.c.opened_at,
        support_case.c.opened_by,
        support_case.c.closed_at,
        assignment.c.agent_id,
        assignment.c.from_at,
        assignment.c.to_at,
    )
    .join(assignment, _OF_CASE)
    .where(
        support_case.c.ref.in_(_REFS),
        assignment.c.agent_id.in_(_AGENTS),
        assignment.c.how.in_(_CAME),
    )
    .order_by(support_case.c.id)
)
_TIES = select(tie).where(tie.c.ref.in_(_REFS), tie.c.principal_id.in_(_AGENTS))
_GRANTS = (
    select(access_grant)
    .where(
        access_grant.c.ref.in_(_REFS),
        access_grant.c.agent_id.in_(_AGENTS),
        access_grant.c.ends_at > bindparam("at"),
    )
    .order_by(access_grant.c.id)
)
# What starts the grace of a late case: a look, a row of a queue, a check of what a caller says, a
# refusal of any.
_OPENED = tuple(
    kind.value
    for kind in (EntryKind.VIEW, EntryKind.LISTED, EntryKind.VERIFICATION, EntryKind.REFUSAL)
)
_UNLINKED = (
    select(
        detail_event.c.tenant,
        detail_event.c.agent,
        detail_subject.c.ref,
        func.min(detail_event.c.at).label("since"),
    )
    .join(detail_subject, detail_subject.c.idx == detail_event.c.idx)
    .where(
        detail_subject.c.ref.in_(_REFS),
        detail_event.c.agent.in_(_AGENTS),
        detail_event.c.link.in_((Link.PENDING.value, Link.NONE.value)),
        detail_event.c.kind.in_(_OPENED),
        detail_event.c.at >= bindparam("since"),
        # What a late link has repaired was never without a reason.
        ~exists().where(late_link.c.idx == detail_event.c.idx),
    )
    .group_by(detail_event.c.tenant, detail_event.c.agent, detail_subject.c.ref)
)
_WAITING = select(
    support_case.c.tenant,
    support_case.c.ref,
    support_case.c.opened_by,
    support_case.c.opened_at,
    support_case.c.closed_at,
).where(
    support_case.c.ref.in_(_REFS),
    or_(support_case.c.closed_at.is_(None), support_case.c.closed_at > bindparam("at")),
)
_ROUTED = (
    select(assignment.c.tenant, assignment.c.agent_id, func.max(assignment.c.from_at).label("at"))
    .where(
        assignment.c.tenant.in_(bindparam("tenants", expanding=True)),
        assignment.c.agent_id.in_(_AGENTS),
        assignment.c.how.in_(_CAME),
        assignment.c.from_at > bindparam("since"),
        assignment.c.from_at <= bindparam("until"),
    )
    .group_by(assignment.c.tenant, assignment.c.agent_id)
)


@dataclass(frozen=True, slots=True)
class CaseBook:
    """The cases of some queries: by name, and by who works on them."""

    named: dict[tuple[str, str], KnownCase] = field(default_factory=dict)
    own: defaultdict[Pair, list[KnownCase]] = field(default_factory=lambda: defaultdict(list))

    def of(self, q: SituationQuery) -> tuple[KnownCase, ...]:
        """The customer's cases on which the people of a query work or worked, by id."""
        found = {one.case.id: one for who in people_of(q) for one in self.own[q.tenant, who, q.ref]}
        return tuple(found[case_id] for case_id in sorted(found))


def people_of(q: SituationQuery) -> tuple[str, ...]:
    """The human, and the AI agent that acts for them."""
    return (q.agent_id,) if q.actor_id is None else (q.agent_id, q.actor_id)


def open_cases(cases: Iterable[KnownCase], q: SituationQuery) -> tuple[str, ...]:
    """Those that somebody else opened, and that came to these people and stand open at `q.at`."""
    people = people_of(q)
    return tuple(
        one.case.id
        for one in cases
        if one.case.opened_by not in people
        and _lasts(one.case.opened_at, one.case.closed_at, q.at)
        and any(
            a.agent_id in people and a.how in _CAME and _lasts(a.from_at, a.to_at, q.at)
            for a in one.assignments
        )
    )


def is_waiting(cases: Iterable[Row[Any]], q: SituationQuery) -> bool:
    """Whether one of a customer's cases stands open at `q.at` that somebody else opened."""
    people = people_of(q)
    return any(
        one.opened_by not in people and _lasts(one.opened_at, one.closed_at, q.at) for one in cases
    )


class LinkReads(Session):
    """Reading what may link people to customers."""

    def _case_book(self, queries: Sequence[SituationQuery]) -> CaseBook:
        names = {(q.tenant, q.case_id) for q in queries if q.case_id is not None}
        rows = self._all(_CASES, {"cases": sorted(names)}) if names else ()
        cases = {(row.tenant, row.id): CaseRow(**values_of(row)) for row in rows}
        own: list[tuple[str, CaseRow]] = []
        for row in self._all(_OWN_CASES, _asked(queries)):
            values = values_of(row)
            own.append((values.pop("agent_id"), CaseRow(**values)))
        worked: defaultdict[tuple[str, str], list[AssignmentRow]] = defaultdict(list)
        wanted = {*cases, *((case.tenant, case.id) for _, case in own)}
        if wanted:
            for row in self._all(_ASSIGNMENTS, {"cases": sorted(wanted)}):
                worked[row.tenant, row.case_id].append(AssignmentRow(**values_of(row)))
        book = CaseBook()
        for name, case in cases.items():
            book.named[name] = KnownCase(case=case, assignments=tuple(worked[name]))
        for agent, case in own:
            known = KnownCase(case=case, assignments=tuple(worked[case.tenant, case.id]))
            book.own[case.tenant, agent, case.ref].append(known)
        return book

    def _related(self, queries: Sequence[SituationQuery]) -> defaultdict[Pair, list[str]]:
        """Open cases of related customers, by who works on them at the time of their query."""
        found: defaultdict[Pair, list[str]] = defaultdict(list)
        if not queries:
            return found
        asked = _asked(queries)
        rows = self._all(_RELATED, asked | {"tenants": sorted({q.tenant for q in queries})})
        kin: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            kin[row.tenant, row.other].append(row.ref)
        if not kin:
            return found
        at = {(q.tenant, who, q.ref): q for q in queries for who in people_of(q)}
        for row in self._all(_OPEN_CASES, asked | {"refs": sorted({other for _, other in kin})}):
            for ref in kin[row.tenant, row.ref]:
                pair = (row.tenant, row.agent_id, ref)
                q = at.get(pair)
                if q is not None and _is_own(row, q):
                    found[pair].append(row.id)
        return found

    def _routed(self, queries: Sequence[SituationQuery]) -> dict[tuple[str, str], Micros]:
        """When work last came to each person in the last day."""
        if not queries:
            return {}
        newest = max(q.at for q in queries)
        values = {
            "tenants": sorted({q.tenant for q in queries}),
            "agents": sorted({q.agent_id for q in queries}),
            "since": newest - REMEMBERED,
            "until": newest,
        }
        return {(row.tenant, row.agent_id): row.at for row in self._all(_ROUTED, values)}

    def _waiting(
        self, queries: Sequence[SituationQuery]
    ) -> defaultdict[tuple[str, str], list[Row[Any]]]:
        """The customers' cases that stand open, whoever works on them."""
        found: defaultdict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
        if queries:
            refs, at = sorted({q.ref for q in queries}), min(q.at for q in queries)
            for row in self._all(_WAITING, {"refs": refs, "at": at}):
                found[row.tenant, row.ref].append(row)
        return found

    def _ties(self, queries: Sequence[SituationQuery]) -> dict[Pair, Tie]:
        rows = self._all(_TIES, _asked(queries))
        return {(row.tenant, row.principal_id, row.ref): Tie(row.tie) for row in rows}

    def _grants(self, queries: Sequence[SituationQuery]) -> defaultdict[Pair, list[GrantRow]]:
        found: defaultdict[Pair, list[GrantRow]] = defaultdict(list)
        for row in self._all(_GRANTS, _asked(queries) | {"at": min(q.at for q in queries)}):
            grant = GrantRow(**values_of(row) | {"kind": GrantKind(row.kind)})
            found[grant.tenant, grant.agent_id, grant.ref].append(grant)
        return found

    def _unlinked(self, queries: Sequence[SituationQuery]) -> dict[Pair, Micros]:
        """When each agent first opened the customer with nothing behind it, in the last day."""
        if not queries:
            return {}
        asked = _asked(queries) | {"since": min(q.at for q in queries) - REMEMBERED}
        return {(row.tenant, row.agent, row.ref): row.since for row in self._all(_UNLINKED, asked)}


def _is_own(row: Row[Any], q: SituationQuery) -> bool:
    """Whether somebody else opened a case, and it stands open and assigned at `q.at`."""
    return (
        row.opened_by not in people_of(q)
        and _lasts(row.opened_at, row.closed_at, q.at)
        and _lasts(row.from_at, row.to_at, q.at)
    )


def _asked(queries: Sequence[SituationQuery]) -> dict[str, object]:
    return {
        "refs": sorted({q.ref for q in queries}),
        "agents": sorted({who for q in queries for who in people_of(q)}),
    }


def _lasts(start: Micros, end: Micros | None, at: Micros) -> bool:
    return start <= at and (end is None or end > at)
