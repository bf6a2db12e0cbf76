"""Work lists: honest bulk work, bounded instead of exempt.

A grant for one team to view the customers of an uploaded list, for one campaign, until an end.
Nothing off the list is explained by it, and it counts only after somebody outside the proposer's
reporting line has approved it.
"""

import dataclasses
from dataclasses import dataclass

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import EntryKind, NewEntry, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import WorkListRow
from policies.model import Purpose, Role

# Longer campaigns are renewed, so that a forgotten grant does not stay open.
MAX_LIFE: Micros = 92 * DAY
MAX_SIZE = 20_000
_MAY_APPROVE = frozenset({Role.LEAD, Role.MANAGER, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkListPut:
    """A list as its proposer uploads it; `customers` are references."""

    id: str
    team: str
    campaign: str
    starts_at: Micros
    ends_at: Micros
    customers: tuple[str, ...]


class WorkLists:
    """Proposes and approves work lists."""

    def __init__(self, committer: Committer, clock: Clock) -> None:
        """Write through `committer`."""
        self._committer, self._clock = committer, clock

    async def propose(self, principal: Principal, put: WorkListPut) -> WorkListRow:
        """Store a list that waits for its approval; an approved list is never changed.

        Raises:
            AccessDeniedError: The credential lacks `work-lists:write`.
            InvalidRequestError: Size, life or a reference is wrong.
            ConflictError: A list of that id exists.
        """
        if "work-lists:write" not in principal.scopes:
            raise AccessDeniedError("this credential may not propose lists: `work-lists:write`")
        _check(put)

        def work(tx: Transaction) -> WorkListRow:
            if tx.rows.work_list(principal.tenant, put.id) is not None:
                raise ConflictError("a work list of that id exists: choose another id")
            known = tx.rows.subjects(put.customers)
            if any(
                ref not in known or known[ref].tenant != principal.tenant for ref in put.customers
            ):
                raise InvalidRequestError("the list names unknown customers: enrol them first")
            row = WorkListRow(
                id=put.id,
                tenant=principal.tenant,
                team=put.team,
                campaign=put.campaign,
                purpose=Purpose.OUTREACH,
                starts_at=put.starts_at,
                ends_at=put.ends_at,
                proposed_by=principal.id,
                approved_by=None,
                size=len(set(put.customers)),
            )
            tx.rows.put_work_list(row, set(put.customers))
            self._record(tx, principal, row, "proposed")
            return row

        return await self._committer.run(work)

    async def approve(self, principal: Principal, list_id: str) -> WorkListRow:
        """Approve somebody else's list.

        Raises:
            AccessDeniedError: The role may not approve, or the two stand in one line.
            NotFoundError: There is no such list.
            ConflictError: It is approved already.
        """
        if principal.role not in _MAY_APPROVE:
            raise AccessDeniedError("a lead, manager or administrator must approve a work list")

        def work(tx: Transaction) -> WorkListRow:
            row = tx.rows.work_list(principal.tenant, list_id)
            if row is None:
                raise NotFoundError("no such work list")
            if row.approved_by is not None:
                raise ConflictError("this work list is approved already")
            proposer = tx.rows.principal(row.tenant, row.proposed_by)
            require_second_person(proposer, principal)
            approved = dataclasses.replace(row, approved_by=principal.id)
            tx.rows.put_work_list(approved, None)
            self._record(tx, principal, approved, "approved")
            return approved

        return await self._committer.run(work)

    def _record(self, tx: Transaction, by: Principal, row: WorkListRow, state: str) -> None:
        kind = EntryKind.WORK_LIST
        event = msgspec.structs.replace(
            event_by(by, kind, self._clock.now()),
            body={
                "list": row.id,
                "team": row.team,
                "campaign": row.campaign,
                "size": row.size,
                "state": state,
            },
        )
        tx.record(NewEntry(kind=kind, event=event))


def _check(put: WorkListPut) -> None:
    if not 0 < len(put.customers) <= MAX_SIZE:
        raise InvalidRequestError(f"a work list holds 1 to {MAX_SIZE} customers: split it")
    if not 0 < put.ends_at - put.starts_at <= MAX_LIFE:
        raise InvalidRequestError("a work list lasts more than nothing and at most 92 days")
