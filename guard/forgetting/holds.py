"""Legal holds: what must be kept, whatever runs out and whoever asks for an erasure.

One person sets a hold, two of different reporting lines lift it. It is looked at inside the very
transaction that would forget something, so that nothing slips through between a look and a deed.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from guard.clock import Clock, Micros
from guard.entries import BodyValue, EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.forgetting.grounds import HoldGround
from guard.ports import Committer, Readers, Transaction, UnitOfWork
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import DueDetail, HoldRow, HoldScope
from policies.model import Role

MAY_FORGET = frozenset({Role.ADMIN, Role.ANALYST})
MAY_READ = MAY_FORGET | {Role.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPut:
    """What is to be kept: `value` is a customer's reference, an agent, a case; of a time, nothing.

    `matter` is the file number under which the company keeps its reasons.
    """

    scope: HoldScope
    ground: HoldGround
    matter: str
    value: str = ""
    since: Micros | None = None
    until: Micros | None = None


class Holds:
    """Sets, lifts and lists holds."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock) -> None:
        """Write through `committer`, read through `readers`."""
        self._committer, self._readers, self._clock = committer, readers, clock

    async def set(self, principal: Principal, put: HoldPut) -> HoldRow:
        """Set a hold; it is in force when this returns.

        Raises:
            AccessDeniedError: The role may not.
            InvalidRequestError: It names nothing, or its times are no range.
            NotFoundError: There is no such customer, agent or case.
        """
        require_role(principal, MAY_FORGET)
        _check(put)

        def work(tx: Transaction) -> HoldRow:
            row = HoldRow(
                id="hold-" + secrets.token_hex(6),
                tenant=principal.tenant,
                scope=put.scope,
                value=put.value,
                ref=_customer_of(tx.rows, principal.tenant, put),
                since=put.since,
                until=put.until,
                ground=put.ground.value,
                matter=put.matter,
                set_by=principal.id,
                set_at=self._clock.now(),
            )
            return self._put(tx, principal, row, "set")

        return await self._committer.run(work)

    async def lift(self, principal: Principal, hold_id: str) -> HoldRow:
        """Propose to lift a hold or, as the second person, lift it.

        Raises:
            AccessDeniedError: The role may not, or the two people are too close.
            NotFoundError: There is no such hold.
            ConflictError: It is lifted already.
        """
        require_role(principal, MAY_FORGET)

        def work(tx: Transaction) -> HoldRow:
            row = tx.rows.hold(principal.tenant, hold_id)
            if row is None:
                raise NotFoundError("there is no such hold")
            if row.lifted_by is not None:
                raise ConflictError("this hold is lifted already")
            now = self._clock.now()
            if row.lift_by is None:
                proposed = replace(row, lift_by=principal.id, lift_at=now)
                return self._put(tx, principal, proposed, "lift_proposed")
            require_second_person(tx.rows.principal(row.tenant, row.lift_by), principal)
            lifted = replace(row, lifted_by=principal.id, lifted_at=now)
            return self._put(tx, principal, lifted, "lifted")

        return await self._committer.run(work)

    async def list(self, principal: Principal) -> list[HoldRow]:
        """All holds of the tenant, lifted ones too, oldest first.

        Raises:
            AccessDeniedError: The role may not read holds.
        """
        require_role(principal, MAY_READ)
        return await self._readers.read(lambda view: view.holds(principal.tenant))

    def _put(self, tx: Transaction, by: Principal, row: HoldRow, state: str) -> HoldRow:
        tx.rows.put_hold(row)
        body: dict[str, BodyValue] = {
            "hold": row.id,
            "state": state,
            "scope": row.scope.value,
            "ground": row.ground,
            "matter": row.matter,
            "since": row.since,
            "until": row.until,
        }
        if row.scope in {HoldScope.AGENT, HoldScope.CASE}:
            body[row.scope.value] = row.value
        event = msgspec.structs.replace(
            event_by(by, EntryKind.HOLD, self._clock.now()),
            body={name: value for name, value in body.items() if value is not None},
        )
        about = () if row.ref is None else (SubjectPart(customer=row.ref),)
        tx.record(NewEntry(kind=EntryKind.HOLD, event=event, subjects=about))
        return row


def conflicts(rows: UnitOfWork, tenant: str, ref: str) -> list[HoldRow]:
    """The holds in force that keep a customer from being erased, oldest first."""
    holds = rows.holds_in_force(tenant)
    if any(hold.ref is None for hold in holds):
        # They are looked up in the log, which must then be complete.
        rows.settle()
    return [hold for hold in holds if _keeps(rows, hold, ref)]


def is_held(holds: Iterable[HoldRow], detail: DueDetail) -> bool:
    """Whether a detail that has run out is kept by one of these holds."""
    return any(_covers(hold, detail) for hold in holds)


def require_role(principal: Principal, roles: frozenset[Role]) -> None:
    """Raise AccessDeniedError unless the caller has one of `roles`."""
    if principal.role not in roles:
        raise AccessDeniedError(
            f"somebody of another role must do this: {', '.join(sorted(roles))}"
        )


def _keeps(rows: UnitOfWork, hold: HoldRow, ref: str) -> bool:
    if hold.ref is not None:
        return hold.ref == ref
    agent = hold.value if hold.scope is HoldScope.AGENT else None
    return rows.is_touched(hold.tenant, ref, agent, hold.since, hold.until)


def _covers(hold: HoldRow, detail: DueDetail) -> bool:
    if hold.since is not None and detail.at < hold.since:
        return False
    if hold.until is not None and detail.at >= hold.until:
        return False
    if hold.ref is not None:
        return hold.ref in detail.refs
    return hold.scope is HoldScope.TIME or hold.value in {detail.agent, detail.actor}


def _check(put: HoldPut) -> None:
    if (put.scope is HoldScope.TIME) == bool(put.value):
        raise InvalidRequestError("name what to keep in `value`; of a time, give its range alone")
    if put.scope is HoldScope.TIME and put.since is None and put.until is None:
        raise InvalidRequestError("a hold on a time needs `since` or `until`")
    if put.since is not None and put.until is not None and put.since >= put.until:
        raise InvalidRequestError("`since` must lie before `until`")


def _customer_of(rows: UnitOfWork, tenant: str, put: HoldPut) -> str | None:
    """The customer that a hold is about, if it is about one; checks that what it names exists."""
    match put.scope:
        case HoldScope.CUSTOMER:
            if rows.subject(tenant, put.value) is None:
                raise NotFoundError("there is no such customer")
            return put.value
        case HoldScope.CASE:
            case = rows.case(tenant, put.value)
            if case is None:
                raise NotFoundError("there is no such case")
            return case.ref
        case HoldScope.AGENT:
            if rows.principal(tenant, put.value) is None:
                raise NotFoundError("nobody of that id is in the directory")
            return None
        case HoldScope.TIME:
            return None
