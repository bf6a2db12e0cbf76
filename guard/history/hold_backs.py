"""What histories leave out while an investigation runs: with a reason, two people and an end.

To tell somebody under investigation, or a customer who may be their accomplice, would end it. So
entries of one agent or one customer, from a stretch of time, can be left out for a while. It takes
a second person who does not stand in the first one's line; it ends by itself, and then the entries
appear. Each step is an entry. The log itself is untouched: auditors read all of it.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Readers, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import HoldBackRow
from policies.model import Role

# As long as most laws give for an answer with its extension; what takes longer is decided anew.
MAX_LIFE: Micros = 90 * DAY
# A proposal that nobody has approved by then is made again.
LAPSES_AFTER: Micros = 7 * DAY
MAX_TEXT = 2_000
_MAY_HOLD = frozenset({Role.ANALYST, Role.ADMIN})
_MAY_READ = _MAY_HOLD | {Role.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBackPut:
    """What to leave out: entries in [since, until) by `agent`, about `customer`, or both."""

    agent: str | None = None
    customer: str | None = None
    since: Micros
    until: Micros
    reason: str
    ends_at: Micros


class HoldBacks:
    """Proposes, approves and ends them."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock) -> None:
        """Write through `committer`, read through `readers`."""
        self._committer, self._readers, self._clock = committer, readers, clock

    async def propose(self, principal: Principal, put: HoldBackPut) -> HoldBackRow:
        """Propose one; it holds nothing back yet.

        Raises:
            AccessDeniedError: The role may not, or it is about the caller.
            InvalidRequestError: It names nobody, has no reason, or has no end within 90 days.
            NotFoundError: There is no such agent or customer.
        """
        _require(principal, _MAY_HOLD, put.agent)
        now = self._clock.now()
        _check(put, now)
        row = HoldBackRow(
            id="hbk-" + secrets.token_hex(8),
            tenant=principal.tenant,
            agent_id=put.agent or "",
            ref=put.customer or "",
            since=put.since,
            until=put.until,
            reason=put.reason,
            proposed_by=principal.id,
            proposed_at=now,
            ends_at=put.ends_at,
        )

        def work(tx: Transaction) -> HoldBackRow:
            if row.agent_id and tx.rows.principal(row.tenant, row.agent_id) is None:
                raise NotFoundError("nobody of that id is in the directory")
            if row.ref and tx.rows.subject(row.tenant, row.ref) is None:
                raise NotFoundError("unknown customer reference")
            return self._put(tx, principal, row, "proposed")

        return await self._committer.run(work)

    async def approve(self, principal: Principal, hold_back_id: str) -> HoldBackRow:
        """Approve somebody else's; it holds when this returns.

        Raises:
            AccessDeniedError: The role may not, it is about the caller, or the two are too close.
            NotFoundError: There is no such proposal.
            ConflictError: It is approved or over already, or was proposed too long ago.
        """
        now = self._clock.now()

        def work(tx: Transaction) -> HoldBackRow:
            row = _found(tx.rows.hold_back(principal.tenant, hold_back_id))
            _require(principal, _MAY_HOLD, row.agent_id)
            if row.approved_by is not None:
                raise ConflictError("this is approved already")
            if _is_over(row, now) or row.proposed_at + LAPSES_AFTER <= now:
                raise ConflictError("this proposal is over: propose it again")
            require_second_person(tx.rows.principal(row.tenant, row.proposed_by), principal)
            approved = replace(row, approved_by=principal.id, approved_at=now)
            return self._put(tx, principal, approved, "approved")

        return await self._committer.run(work)

    async def end(self, principal: Principal, hold_back_id: str) -> HoldBackRow:
        """End one before its time: what it held back appears. One person may.

        Raises:
            AccessDeniedError: The role may not, or it is about the caller.
            NotFoundError: There is none of that id.
            ConflictError: It is over already.
        """
        now = self._clock.now()

        def work(tx: Transaction) -> HoldBackRow:
            row = _found(tx.rows.hold_back(principal.tenant, hold_back_id))
            _require(principal, _MAY_HOLD, row.agent_id)
            if _is_over(row, now):
                raise ConflictError("this is over already")
            return self._put(tx, principal, replace(row, ended_at=now), "ended")

        return await self._committer.run(work)

    async def page(self, principal: Principal) -> list[HoldBackRow]:
        """Those that are not over, oldest first, without any about the caller.

        Raises:
            AccessDeniedError: The role may not read them.
        """
        _require(principal, _MAY_READ, None)
        now = self._clock.now()
        rows = await self._readers.read(lambda view: view.hold_backs(principal.tenant, now))
        return [row for row in rows if row.agent_id != principal.id]

    def _put(self, tx: Transaction, by: Principal, row: HoldBackRow, state: str) -> HoldBackRow:
        tx.rows.put_hold_back(row)
        event = msgspec.structs.replace(
            event_by(by, EntryKind.HOLD_BACK, self._clock.now()),
            body={
                "hold_back": row.id,
                "agent": row.agent_id,
                "since": row.since,
                "until": row.until,
                "ends_at": row.ends_at,
                "because": row.reason,
                "state": state,
            },
        )
        subjects = (SubjectPart(customer=row.ref),) if row.ref else ()
        tx.record(NewEntry(kind=EntryKind.HOLD_BACK, event=event, subjects=subjects))
        return row


def in_force(rows: Iterable[HoldBackRow], at: Micros) -> tuple[HoldBackRow, ...]:
    """Those that hold something back at `at`."""
    return tuple(row for row in rows if row.approved_by is not None and not _is_over(row, at))


def is_held(
    rows: Iterable[HoldBackRow], at: Micros, agents: Collection[str], refs: Collection[str]
) -> bool:
    """Whether one of `rows` holds back an entry of time `at` by `agents` about `refs`."""
    return any(
        row.since <= at < row.until
        and (not row.agent_id or row.agent_id in agents)
        and (not row.ref or row.ref in refs)
        for row in rows
    )


def _is_over(row: HoldBackRow, at: Micros) -> bool:
    return row.ends_at <= at or (row.ended_at is not None and row.ended_at <= at)


def _found(row: HoldBackRow | None) -> HoldBackRow:
    if row is None:
        raise NotFoundError("no such hold-back")
    return row


def _require(principal: Principal, roles: Collection[Role], agent: str | None) -> None:
    if principal.role not in roles:
        raise AccessDeniedError("an analyst or administrator holds entries back")
    if agent == principal.id:
        raise AccessDeniedError("nobody holds back what is about themselves")


def _check(put: HoldBackPut, now: Micros) -> None:
    if not (put.agent or put.customer):
        raise InvalidRequestError("name `agent`, `customer` or both")
    if not put.since < put.until:
        raise InvalidRequestError("the entries concerned begin before they end")
    if not put.reason.strip() or len(put.reason) > MAX_TEXT:
        raise InvalidRequestError(f"give a `reason` of 1 to {MAX_TEXT} characters")
    if not now < put.ends_at <= now + MAX_LIFE:
        days = MAX_LIFE // DAY
        raise InvalidRequestError(f"`ends_at` must lie in the next {days} days: decide again then")
