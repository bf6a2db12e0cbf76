"""Cases, and who works on them: what explains most views.

They arrive from the ticket system; each change that matters is an entry, because detectors grade
views by them and must be able to replay. Putting the same case twice changes nothing.
"""

from dataclasses import dataclass

import msgspec

from guard.clock import Clock, Micros
from guard.enrolment import CustomerPut, Enrolment, check_key
from guard.entries import BodyValue, EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Transaction
from guard.principals import Principal
from guard.rows import AssignmentRow, CaseRow, SubjectRow

HOWS = frozenset({"inbound", "transfer", "escalation", "qa", "queue", "self"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentPut:
    """Somebody works on the case from `from_at` until `to_at` (None: still)."""

    agent: str
    how: str
    from_at: Micros
    to_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePut:
    """The whole of a case. The customer is given by reference, or by source and source key."""

    id: str
    customer: str | None = None
    source: str | None = None
    source_key: str | None = None
    region: str = ""
    channel: str
    opened_at: Micros
    opened_by: str | None = None
    closed_at: Micros | None = None
    assignments: tuple[AssignmentPut, ...] = ()


class Cases:
    """Takes cases in."""

    def __init__(self, committer: Committer, enrolment: Enrolment, clock: Clock) -> None:
        """Write through `committer`; mint references of new customers through `enrolment`."""
        self._committer, self._enrolment, self._clock = committer, enrolment, clock

    async def put(self, principal: Principal, case: CasePut) -> CaseRow:
        """Insert or replace a case and its assignments; those not named are left as they are.

        Raises:
            AccessDeniedError: The credential lacks `cases:write`.
            InvalidRequestError: The case contradicts itself.
            NotFoundError: The reference is unknown.
            ConflictError: The case belongs to another customer.
        """
        if "cases:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not write cases: `cases:write`")
        _check(case)
        return await self._committer.run(lambda tx: self._put(tx, principal, case))

    def _put(self, tx: Transaction, principal: Principal, case: CasePut) -> CaseRow:
        subject = self._subject(tx, principal, case)
        old = tx.rows.case(principal.tenant, case.id)
        if old is not None and old.ref != subject.ref:
            raise ConflictError("this case belongs to another customer: use a new case id")
        row = CaseRow(
            id=case.id,
            tenant=principal.tenant,
            ref=subject.ref,
            channel=case.channel,
            opened_at=case.opened_at,
            opened_by=case.opened_by,
            closed_at=case.closed_at,
        )
        at = self._clock.now()
        if old != row:
            tx.rows.put_case(row)
            _record(
                tx,
                principal,
                EntryKind.CASE,
                at,
                row,
                {
                    "case": row.id,
                    "channel": row.channel,
                    "opened_by": row.opened_by or "",
                    "open": row.closed_at is None,
                },
            )
        known = {(a.agent_id, a.from_at): a for a in tx.rows.assignments(row.tenant, row.id)}
        for put in case.assignments:
            new = AssignmentRow(
                case_id=row.id,
                tenant=row.tenant,
                agent_id=put.agent,
                how=put.how,
                from_at=put.from_at,
                to_at=put.to_at,
            )
            if known.get((new.agent_id, new.from_at)) != new:
                tx.rows.put_assignment(new)
                _record(
                    tx,
                    principal,
                    EntryKind.ASSIGNMENT,
                    at,
                    row,
                    {
                        "case": row.id,
                        "agent": new.agent_id,
                        "how": new.how,
                        "start": new.to_at is None,
                    },
                )
        return row

    def _subject(self, tx: Transaction, principal: Principal, case: CasePut) -> SubjectRow:
        if case.customer is not None:
            subject = tx.rows.subject(principal.tenant, case.customer)
            if subject is None:
                raise NotFoundError("unknown customer reference: enrol the customer first")
            return subject
        customer = CustomerPut(
            source=case.source or "",
            source_key=case.source_key or "",
            region=case.region or principal.region,
        )
        check_key(customer)
        return self._enrolment.subject(tx, principal.tenant, customer)


def _record(
    tx: Transaction,
    principal: Principal,
    kind: EntryKind,
    at: Micros,
    case: CaseRow,
    body: dict[str, BodyValue],
) -> None:
    event = msgspec.structs.replace(event_by(principal, kind, at), body=body)
    subject = SubjectPart(customer=case.ref, case=case.id)
    tx.record(NewEntry(kind=kind, event=event, subjects=(subject,)))


def _check(case: CasePut) -> None:
    if (case.customer is None) == (case.source_key is None):
        raise InvalidRequestError("name the customer by `customer` or by `source` + `source_key`")
    if case.closed_at is not None and case.closed_at < case.opened_at:
        raise InvalidRequestError("a case cannot close before it opened")
    for put in case.assignments:
        if put.how not in HOWS:
            raise InvalidRequestError("`how` must be one of " + ", ".join(sorted(HOWS)))
        if put.to_at is not None and put.to_at < put.from_at:
            raise InvalidRequestError("an assignment cannot end before it began")
