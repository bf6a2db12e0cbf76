"""How much of each decision is carried out: observe, mask or enforce.

A company adopts the broker step by step: per tenant, vendor, team and purpose. The rule that names
most of a request's scope wins, the stricter of two that name as much, the newer of two for the same
scope; without any rule everything is enforced (the store finds it, in the path's one read). A
change needs two people, and what enforcing would have done is in every entry.
"""

import dataclasses
import secrets

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import EntryKind, NewEntry, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ledger.backlog import caught_up
from guard.ports import Committer, Readers, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import ModeRow
from policies.model import Mode, Purpose, Role

# Nobody approves what the proposer has forgotten.
LAPSES_AFTER: Micros = 14 * DAY
_MAY_CHANGE = frozenset({Role.ADMIN, Role.ANALYST})
_MAY_READ = _MAY_CHANGE | {Role.AUDITOR, Role.MANAGER}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementRow:
    """What enforcing did or would have done to one team's views: `would` names the outcome."""

    team: str
    mode: str
    would: str
    views: int


class Modes:
    """Proposes, approves and lists mode rules, and reports what they hold back."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock) -> None:
        """Write through `committer`, read through `readers`."""
        self._committer, self._readers, self._clock = committer, readers, clock

    async def propose(
        self, principal: Principal, *, vendor: str, team: str, purpose: str, mode: Mode
    ) -> ModeRow:
        """Propose a mode for a scope (empty: any); it counts once somebody else approves it.

        Raises:
            AccessDeniedError: Only administrators and analysts change modes.
            InvalidRequestError: There is no such purpose.
        """
        if purpose and purpose not in set(Purpose):
            raise InvalidRequestError("there is no such purpose: use one of " + ", ".join(Purpose))
        if principal.role not in _MAY_CHANGE:
            raise AccessDeniedError("an administrator or analyst must propose a mode")
        row = ModeRow(
            id="mode-" + secrets.token_hex(6),
            tenant=principal.tenant,
            vendor=vendor,
            team=team,
            purpose=purpose,
            mode=mode,
            proposed_by=principal.id,
            proposed_at=self._clock.now(),
            approved_by=None,
        )
        return await self._committer.run(lambda tx: self._put(tx, principal, row, "proposed"))

    async def approve(self, principal: Principal, mode_id: str) -> ModeRow:
        """Approve somebody else's proposal; it is in force when this returns.

        Raises:
            AccessDeniedError: The role may not, or the two people are too close.
            NotFoundError: There is no such proposal.
            ConflictError: It is approved already, or was proposed too long ago.
        """
        if principal.role not in _MAY_CHANGE:
            raise AccessDeniedError("an administrator or analyst must approve a mode")

        def work(tx: Transaction) -> ModeRow:
            found = [m for m in tx.rows.modes(principal.tenant) if m.id == mode_id]
            if not found:
                raise NotFoundError("no such mode proposal")
            if found[0].approved_by is not None:
                raise ConflictError("this mode is approved already")
            if found[0].proposed_at + LAPSES_AFTER <= self._clock.now():
                days = LAPSES_AFTER // DAY
                raise ConflictError(f"this proposal is older than {days} days: propose it again")
            proposer = tx.rows.principal(principal.tenant, found[0].proposed_by)
            require_second_person(proposer, principal)
            row = dataclasses.replace(
                found[0], approved_by=principal.id, approved_at=self._clock.now()
            )
            return self._put(tx, principal, row, "approved")

        return await self._committer.run(work)

    async def list(self, principal: Principal) -> list[ModeRow]:
        """All rules and proposals of the tenant, oldest first.

        Raises:
            AccessDeniedError: The role may not read modes.
        """
        _require_reader(principal)
        return await self._readers.read(lambda view: view.modes(principal.tenant))

    async def report(
        self, principal: Principal, since: Micros, until: Micros
    ) -> tuple[EnforcementRow, ...]:
        """By team: what the policy decided for requests in [since, until), whatever was done.

        Raises:
            AccessDeniedError: The role may not read modes.
        """
        _require_reader(principal)
        await caught_up(self._readers)
        rows = await self._readers.read(
            lambda view: view.enforcement_report(principal.tenant, since, until)
        )
        return tuple(EnforcementRow(team=t, mode=m, would=w, views=n) for t, m, w, n in rows)

    def _put(self, tx: Transaction, by: Principal, row: ModeRow, state: str) -> ModeRow:
        tx.rows.put_mode(row)
        event = msgspec.structs.replace(
            event_by(by, EntryKind.MODE, self._clock.now()),
            body={
                "mode_id": row.id,
                "vendor": row.vendor,
                "team": row.team,
                "purpose": row.purpose,
                "mode": row.mode.value,
                "state": state,
            },
        )
        tx.record(NewEntry(kind=EntryKind.MODE, event=event))
        return row


def _require_reader(principal: Principal) -> None:
    if principal.role not in _MAY_READ:
        raise AccessDeniedError("a manager, analyst, auditor or administrator may read modes")
