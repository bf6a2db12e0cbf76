"""Cases, and who works on them: what explains most views.

They arrive from the ticket system; each change that matters is an entry, because detectors grade
views by them and must be able to replay. Putting the same case twice changes nothing. A hand-over
ends the sender's hold, and a case that comes late repairs the grade of views already made, in the
same transaction.
"""

from dataclasses import replace

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.enrolment import CustomerPut, Enrolment, check_key
from guard.entries import BodyValue, EntryKind, EventPart, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, IdentifierLookup, Transaction
from guard.principals import Principal
from guard.purposes.explanation import BY_HOW
from guard.purposes.hand_overs import released, with_ends
from guard.purposes.late_links import repair, unlinked
from guard.purposes.reports import SELF, CasePut, ended, is_late, is_own, merged, told
from guard.rows import AssignmentRow, CaseRow, SubjectRow, WebhookDeliveryRow

HOWS = frozenset(BY_HOW)

# Senders try again for days; a signature by itself is good for minutes.
KEEP_DELIVERIES: Micros = 7 * DAY


class Cases:
    """Takes cases in."""

    def __init__(
        self,
        committer: Committer,
        enrolment: Enrolment,
        clock: Clock,
        lookup: IdentifierLookup | None = None,
    ) -> None:
        """Write through `committer`; mint references of new customers through `enrolment`.

        Customers that are named by an identifier are found through `lookup`, if there is one.
        """
        self._committer, self._enrolment, self._clock = committer, enrolment, clock
        self._lookup = lookup

    async def put(self, principal: Principal, case: CasePut) -> CaseRow:
        """Insert or replace a case and its assignments; those not named are left as they are.

        Raises:
            AccessDeniedError: The credential lacks `cases:write`.
            InvalidRequestError: The case contradicts itself.
            NotFoundError: The reference or identifier is nobody's.
            ConflictError: The case belongs to another customer, or the identifier to several.
        """
        known = await self._checked(principal, case)
        return await self._committer.run(lambda tx: self._put(tx, principal, known))

    async def deliver(
        self, principal: Principal, case: CasePut, delivery: WebhookDeliveryRow
    ) -> None:
        """Put a case that a webhook brought, and keep the delivery's id in the same transaction.

        A sender that got no answer signs its delivery anew and sends it again: that changes
        nothing. The very bytes that were taken in before are a replay.

        Raises:
            ConflictError: The same delivery, with the same signature, was taken in before.
            GuardError: As `put`.
        """
        known = await self._checked(principal, case)

        def work(tx: Transaction) -> None:
            before = tx.rows.webhook_delivery(delivery.tenant, delivery.source, delivery.id)
            if before is not None and delivery.at <= before.at:
                raise ConflictError("this delivery was taken in before: sign a new one")
            if before is None:
                self._put(tx, principal, known)
            tx.rows.put_webhook_delivery(delivery, delivery.at - KEEP_DELIVERIES)

        await self._committer.run(work)

    async def _checked(self, principal: Principal, case: CasePut) -> CasePut:
        """The case if it makes sense, with its customer looked up where an identifier names it."""
        if "cases:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not write cases: `cases:write`")
        _check(case)
        if case.identifier is None:
            return case
        if self._lookup is None:
            raise InvalidRequestError(
                "customers cannot be found by an identifier here: name the customer by "
                "`source` + `source_key`"
            )
        kind, value = case.identifier
        found = await self._lookup.find(principal.tenant, kind, value)
        if not found:
            raise NotFoundError("nobody has that identifier: enrol the customer first")
        if len(found) > 1:
            raise ConflictError(
                "several customers have that identifier: name the customer by "
                "`source` + `source_key`"
            )
        return replace(case, customer=found[0], identifier=None, found_by=kind)

    def _put(self, tx: Transaction, principal: Principal, case: CasePut) -> CaseRow:
        subject = self._subject(tx, principal, case)
        old = tx.rows.case(principal.tenant, case.id)
        if old is not None and old.ref != subject.ref:
            raise ConflictError("this case belongs to another customer: use a new case id")
        case, opener = self._routed(tx, principal, case)
        at = self._clock.now()
        as_of = at if case.as_of is None else min(at, case.as_of)
        if old is not None and is_late(old, case, as_of):
            body: dict[str, BodyValue] = {"case": old.id, "ignored": True, "as_of": as_of}
            record(tx, event_by(principal, EntryKind.CASE, at), old, body)
            row = old
        else:
            row = merged(case, subject, old, as_of, opener)
        says_who = bool(case.assignments) or case.released_at is not None
        if says_who and as_of > row.held_as_of:
            row = replace(row, held_as_of=as_of)
        if old != row:
            tx.rows.put_case(row)
        if old is None or told(old) != told(row):
            record(tx, event_by(principal, EntryKind.CASE, at), row, told(row))
        self._assign(tx, principal, row, ended(case, as_of, row.held_as_of), as_of)
        return row

    def _assign(
        self, tx: Transaction, by: Principal, case: CaseRow, put: CasePut, as_of: Micros
    ) -> None:
        known = {(a.agent_id, a.from_at): a for a in tx.rows.assignments(case.tenant, case.id)}
        given = {
            (one.agent, one.from_at): AssignmentRow(
                case_id=case.id,
                tenant=case.tenant,
                agent_id=one.agent,
                how=one.how,
                from_at=one.from_at,
                to_at=one.to_at,
            )
            for one in put.assignments
        }
        kept = released(known, put.released_at)
        # Of a hold that is known already an older report says nothing new.
        rows = kept | given if as_of >= case.held_as_of else given | kept
        held = with_ends(list(rows.values()))
        for row in held:
            before = known.get((row.agent_id, row.from_at))
            if before == row:
                continue
            assign(tx, event_by(by, EntryKind.ASSIGNMENT, self._clock.now()), case, row, before)

    def _routed(self, tx: Transaction, by: Principal, case: CasePut) -> tuple[CasePut, str | None]:
        """The case with what its writer says of its own people put right, and who of them it is."""
        own = [
            one.agent
            for one in case.assignments
            if is_own(by, one.agent, tx.rows.principal(by.tenant, one.agent))
        ]
        puts = tuple(replace(p, how=SELF) if p.agent in own else p for p in case.assignments)
        return replace(case, assignments=puts), min(own, default=None)

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


def assign(
    tx: Transaction,
    event: EventPart,
    case: CaseRow,
    row: AssignmentRow,
    before: AssignmentRow | None = None,
) -> None:
    """Store an assignment and record it; one that is new repairs the grade of earlier views."""
    tx.rows.put_assignment(row)
    lasts = row.to_at is None or row.to_at > event.at
    late = unlinked(tx, case, row, event.at) if before is None else []
    body: dict[str, BodyValue] = {
        "case": row.case_id,
        "agent": row.agent_id,
        "how": row.how,
        "start": lasts,
        "late_links": len(late),
    }
    if lasts and row.to_at is not None:
        body["until"] = row.to_at
    record(tx, event, case, body)
    repair(tx, event, case, row, late)


def record(tx: Transaction, event: EventPart, case: CaseRow, body: dict[str, BodyValue]) -> None:
    """Append an entry about a case and its customer."""
    kind = EntryKind[event.kind.upper()]
    subject = SubjectPart(customer=case.ref, case=case.id)
    event = msgspec.structs.replace(event, body=body)
    tx.record(NewEntry(kind=kind, event=event, subjects=(subject,)))


def _check(case: CasePut) -> None:
    if sum(name is not None for name in (case.customer, case.source_key, case.identifier)) != 1:
        raise InvalidRequestError("name the customer by `customer` or by `source` + `source_key`")
    if case.closed_at is not None and case.closed_at < case.opened_at:
        raise InvalidRequestError("a case cannot close before it opened")
    for put in case.assignments:
        if put.how not in HOWS:
            raise InvalidRequestError("`how` must be one of " + ", ".join(sorted(HOWS)))
        if put.to_at is not None and put.to_at < put.from_at:
            raise InvalidRequestError("an assignment cannot end before it began")
