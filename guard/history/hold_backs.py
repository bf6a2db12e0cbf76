"""What histories leave out while an investigation runs: with a reason, two people and an end.

To tell somebody under investigation, or a customer who may be their accomplice, would end it. So
entries of one agent or one customer, from a stretch of time, can be left out for a while. It takes
a second person who does not stand in the first one's line; it ends by itself, and then the entries
appear. Each step is an entry. The log itself is untouched: auditors read all of it.

The reason of one about a customer is about the customer: it is kept under their key, in the row as
in the entries, and goes with them.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import EntryKind, NewEntry, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import HoldBackRow, SubjectRow
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

    def __init__(
        self, committer: Committer, readers: Readers, clock: Clock, vault: DetailVault
    ) -> None:
        """Write through `committer`, read through `readers`; `vault` seals reasons."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault = vault

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
            about = _living(tx.rows.subjects({row.ref}), row)
            if row.ref and about is None:
                raise NotFoundError("unknown customer reference")
            return self._put(tx, principal, row, about, "proposed")

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
            row, about = self._found(tx, principal.tenant, hold_back_id)
            _require(principal, _MAY_HOLD, row.agent_id)
            if row.approved_by is not None:
                raise ConflictError("this is approved already")
            if _is_over(row, now) or row.proposed_at + LAPSES_AFTER <= now:
                raise ConflictError("this proposal is over: propose it again")
            require_second_person(tx.rows.principal(row.tenant, row.proposed_by), principal)
            approved = replace(row, approved_by=principal.id, approved_at=now)
            return self._put(tx, principal, approved, about, "approved")

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
            row, about = self._found(tx, principal.tenant, hold_back_id)
            _require(principal, _MAY_HOLD, row.agent_id)
            if _is_over(row, now):
                raise ConflictError("this is over already")
            return self._put(tx, principal, replace(row, ended_at=now), about, "ended")

        return await self._committer.run(work)

    async def page(self, principal: Principal) -> list[HoldBackRow]:
        """Those that are not over, oldest first, without any about the caller.

        Raises:
            AccessDeniedError: The role may not read them.
        """
        _require(principal, _MAY_READ, None)
        now = self._clock.now()

        def look(view: ReadView) -> list[HoldBackRow]:
            rows = view.hold_backs(principal.tenant, now)
            subjects = view.subjects({row.ref for row in rows if row.ref})
            return [
                self._opened(row, _living(subjects, row))
                for row in rows
                if row.agent_id != principal.id
            ]

        return await self._readers.read(look)

    def _found(
        self, tx: Transaction, tenant: str, hold_back_id: str
    ) -> tuple[HoldBackRow, SubjectRow | None]:
        """One with its reason, and the customer it is about, if they are still known."""
        row = tx.rows.hold_back(tenant, hold_back_id)
        if row is None:
            raise NotFoundError("no such hold-back")
        about = _living(tx.rows.subjects({row.ref}), row)
        return self._opened(row, about), about

    def _put(
        self,
        tx: Transaction,
        by: Principal,
        row: HoldBackRow,
        about: SubjectRow | None,
        state: str,
    ) -> HoldBackRow:
        tx.rows.put_hold_back(self._sealed(row, about))
        event = msgspec.structs.replace(
            event_by(by, EntryKind.HOLD_BACK, self._clock.now()),
            body={
                "hold_back": row.id,
                "agent": row.agent_id,
                "since": row.since,
                "until": row.until,
                "ends_at": row.ends_at,
                "because": "" if row.ref else row.reason,
                "state": state,
            },
        )
        subjects = () if about is None else (SubjectPart(customer=row.ref, reason=row.reason),)
        tx.record(NewEntry(kind=EntryKind.HOLD_BACK, event=event, subjects=subjects))
        return row

    def _sealed(self, row: HoldBackRow, about: SubjectRow | None) -> HoldBackRow:
        """The row as it is kept."""
        if about is None:
            return row
        sealed = self._vault.seal_subject(about, row.id.encode(), row.reason.encode())
        return replace(row, reason=b64encode(sealed).decode())

    def _opened(self, row: HoldBackRow, about: SubjectRow | None) -> HoldBackRow:
        """The row as it is read; the reason of one about somebody erased is gone with them."""
        if about is None:
            return replace(row, reason="") if row.ref else row
        sealed = b64decode(row.reason)
        return replace(
            row, reason=self._vault.open_subject(about, row.id.encode(), sealed).decode()
        )


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


def _living(subjects: Mapping[str, SubjectRow], row: HoldBackRow) -> SubjectRow | None:
    """The customer a hold-back is about; None: no customer, or one who was erased."""
    found = subjects.get(row.ref)
    same = found is not None and found.tenant == row.tenant and found.wrapped_key is not None
    return found if same else None


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
