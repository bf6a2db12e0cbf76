"""Work lists: honest bulk work, bounded instead of exempt.

A grant for one team to view the customers of an uploaded list, for one campaign, until an end, with
the fields and at the pace that its proposer states. Nothing off the list is explained by it. It
counts only after two people of different reporting lines have approved it, neither of them the
proposer; each approval's entry holds the digest of the list that was approved.

A proposal waits `APPROVE_WITHIN` for both approvals and lapses then, so that nobody approves what
everybody else has forgotten; uploading its customers again opens it again.

While it is a proposal its customers may be uploaded anew, as often as needed: the size is 0 until
an upload has come to its end, every upload takes an earlier first approval back, and an approved
list is never changed.
"""

import dataclasses
import hmac
from collections.abc import AsyncIterable, Collection, Sequence
from dataclasses import dataclass

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import EntryKind, NewEntry, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.list_members import Upload, counted, digest_of, resolved
from guard.purposes.list_rows import BadRow, Fault, ListRow
from guard.purposes.second_person import require_second_person
from guard.quotas import Binding
from guard.rows import WorkListRow
from guard.vault.keyring import Keyring
from policies.model import ActorKind, Budget, BudgetKey, Measure, Purpose, Role, Window

# Longer campaigns are renewed, so that a forgotten grant does not stay open.
MAX_LIFE: Micros = 92 * DAY
# A holiday of either approver fits in.
APPROVE_WITHIN: Micros = 7 * DAY
# What one body may hold; a stream may bring more.
MAX_SIZE = 20_000
MAX_ROWS = 100_000
# Rows of an upload that share a transaction: views wait some milliseconds for it, not more.
CHUNK = 1_000
# Nobody works through more customers of a list in an hour by hand.
MAX_PACE = 1_000
PACE = "work-list-pace"
_MAY_APPROVE = frozenset({Role.LEAD, Role.MANAGER, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkListPut:
    """A list as its proposer states it; `customers` are references, none if they are uploaded.

    `fields` are all that the campaign may show (None: what the policy shows), `pace` the most
    customers of the list that one agent may open in an hour.
    """

    id: str
    team: str
    campaign: str
    starts_at: Micros
    ends_at: Micros
    customers: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    pace: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedList:
    """A list and the digest of its members."""

    row: WorkListRow
    digest: str


def pace_binding(row: WorkListRow, agent_key: str) -> Binding | None:
    """The budget that holds one agent to the pace of a list; None: it has none."""
    if row.pace is None:
        return None
    budget = Budget(
        name=PACE,
        measure=Measure.CUSTOMERS,
        key=BudgetKey.WORK_LIST,
        window=Window.HOUR,
        limit=row.pace,
        kind=None,
        purpose=None,
        by_risk={},
    )
    return Binding(budget=budget, key=f"{agent_key}#list:{row.id}", limit=row.pace)


def limited(asked: Collection[str] | None, row: WorkListRow | None) -> tuple[str, ...] | None:
    """The fields to plan for: those asked for (None: all), within the field set of the list."""
    wanted = None if asked is None else tuple(asked)
    if row is None or row.fields is None:
        return wanted
    return row.fields if wanted is None else tuple(name for name in wanted if name in row.fields)


class WorkLists:
    """Proposes, fills and approves work lists."""

    def __init__(
        self, committer: Committer, readers: Readers, keyring: Keyring, clock: Clock
    ) -> None:
        """Write through `committer`, read through `readers`, find source keys with `keyring`."""
        self._committer, self._readers = committer, readers
        self._keyring, self._clock = keyring, clock

    async def propose(self, principal: Principal, put: WorkListPut) -> WorkListRow:
        """Store a list that waits for its approvals.

        Raises:
            AccessDeniedError: The credential lacks `work-lists:write`.
            InvalidRequestError: Size, life, pace or a reference is wrong.
            ConflictError: A list of that id exists.
        """
        _require_writer(principal)
        _check(put)
        customers = frozenset(put.customers or ())

        def work(tx: Transaction) -> WorkListRow:
            if tx.rows.work_list(principal.tenant, put.id) is not None:
                raise ConflictError("a work list of that id exists: choose another id")
            if tx.rows.known_refs(principal.tenant, customers) != customers:
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
                size=len(customers),
                lapses_at=self._clock.now() + APPROVE_WITHIN,
                fields=put.fields,
                pace=put.pace,
            )
            tx.rows.put_work_list(row, customers)
            self._record(tx, principal, row, "proposed", _digest(tx.rows, row))
            return row

        return await self._committer.run(work)

    async def upload(
        self, principal: Principal, list_id: str, rows: AsyncIterable[ListRow | BadRow]
    ) -> tuple[Upload, StatedList]:
        """Replace the customers of one's own proposal by a stream of any length up to `MAX_ROWS`.

        Rows are taken in chunks, each a transaction of its own; when one fails the list stays
        empty to whoever would approve it, until another upload has come to its end.

        Raises:
            AccessDeniedError: The credential lacks `work-lists:write`, or the list is another's.
            NotFoundError: There is no such list.
            ConflictError: It is approved already.
            InvalidRequestError: There are more rows than a list may have.
        """
        _require_writer(principal)
        await self._committer.run(lambda tx: self._empty(tx, principal, list_id))
        upload, good, chunk = Upload(), 0, list[ListRow]()
        async for row in rows:
            upload.rows += 1
            if upload.rows > MAX_ROWS:
                raise InvalidRequestError(f"a work list has at most {MAX_ROWS} rows: split it")
            if isinstance(row, BadRow):
                upload.reject([row])
                continue
            chunk.append(row)
            if len(chunk) == CHUNK:
                good += await self._take(principal, list_id, chunk, upload)
                chunk = []
        good += await self._take(principal, list_id, chunk, upload)
        stated = await self._committer.run(lambda tx: self._close(tx, principal, list_id))
        upload.duplicates = good - stated.row.size
        return upload, stated

    async def approve(self, principal: Principal, list_id: str, digest: str) -> StatedList:
        """Approve somebody else's list, first or second; the second puts it in force.

        `digest` is that of the list which the approver has read: no other is approved.

        Raises:
            AccessDeniedError: The role may not approve, or two of the three are too close.
            NotFoundError: There is no such list.
            ConflictError: It is approved already, is empty, has lapsed or ended, or has another
                digest.
        """
        if principal.role not in _MAY_APPROVE or not _is_person(principal):
            raise AccessDeniedError("a lead, manager or administrator must approve a work list")

        def work(tx: Transaction) -> StatedList:
            row = _found(tx.rows, principal, list_id)
            if row.approved_by is not None:
                raise ConflictError("this work list is approved already")
            _refuse_stale(row, self._clock.now())
            require_second_person(tx.rows.principal(row.tenant, row.proposed_by), principal)
            found = _digest(tx.rows, row)
            if not hmac.compare_digest(digest.encode(), found.encode()):
                raise ConflictError(
                    "this is not the list that was read: read it again and approve its `digest`"
                )
            approved = _approved(tx.rows, row, principal)
            tx.rows.put_work_list(approved, None)
            state = "first_approved" if approved.approved_by is None else "approved"
            self._record(tx, principal, approved, state, found)
            return StatedList(row=approved, digest=found)

        return await self._committer.run(work)

    async def get(self, principal: Principal, list_id: str) -> StatedList:
        """A list with its digest, for who proposes or approves it.

        Raises:
            AccessDeniedError: The credential has to do with lists in no way.
            NotFoundError: There is no such list.
        """
        if not {"work-lists:write", "work-lists:approve"} & principal.scopes:
            raise AccessDeniedError("this credential may not read lists: `work-lists:approve`")

        def look(view: ReadView) -> StatedList:
            row = _found(view, principal, list_id)
            return StatedList(row=row, digest=_digest(view, row))

        return await self._readers.read(look)

    def _empty(self, tx: Transaction, principal: Principal, list_id: str) -> None:
        """Begin an upload: what was on the list, and who had approved that, counts no more."""
        row = dataclasses.replace(
            _own_proposal(tx.rows, principal, list_id), size=0, first_approved_by=None
        )
        tx.rows.put_work_list(row, ())
        self._record(tx, principal, row, "uploading", None)

    async def _take(
        self, principal: Principal, list_id: str, chunk: Sequence[ListRow], upload: Upload
    ) -> int:
        """Put a chunk on the list; how many of its rows name known customers."""
        if not chunk:
            return 0
        blinds = {
            row.line: self._keyring.blind(principal.tenant, row.source, row.source_key)
            for row in chunk
            if row.customer is None
        }

        def work(tx: Transaction) -> list[BadRow]:
            row = dataclasses.replace(
                _own_proposal(tx.rows, principal, list_id), size=0, first_approved_by=None
            )
            found = resolved(tx.rows, principal.tenant, chunk, blinds)
            tx.rows.put_work_list(row, None)
            tx.rows.add_members(row.tenant, row.id, found.values())
            self._record(tx, principal, row, "uploading", None)
            return [
                BadRow(line=one.line, fault=Fault.UNKNOWN_CUSTOMER)
                for one in chunk
                if one.line not in found
            ]

        unknown = await self._committer.run(work)
        upload.reject(unknown)
        return len(chunk) - len(unknown)

    def _close(self, tx: Transaction, principal: Principal, list_id: str) -> StatedList:
        """End an upload: count the list and say which one it is."""
        row = _own_proposal(tx.rows, principal, list_id)
        found, size = counted(tx.rows.work_list_members(row.tenant, row.id))
        lapses_at = self._clock.now() + APPROVE_WITHIN
        row = dataclasses.replace(row, size=size, first_approved_by=None, lapses_at=lapses_at)
        tx.rows.put_work_list(row, None)
        self._record(tx, principal, row, "uploaded", found)
        return StatedList(row=row, digest=found)

    def _record(
        self, tx: Transaction, by: Principal, row: WorkListRow, state: str, digest: str | None
    ) -> None:
        kind = EntryKind.WORK_LIST
        event = msgspec.structs.replace(
            event_by(by, kind, self._clock.now()),
            body={
                "list": row.id,
                "team": row.team,
                "campaign": row.campaign,
                "size": row.size,
                "state": state,
                "digest": digest or "",
                "pace": row.pace or 0,
                "fields": list(row.fields or ()),
                "starts_at": row.starts_at,
                "ends_at": row.ends_at,
                "lapses_at": row.lapses_at,
            },
        )
        tx.record(NewEntry(kind=kind, event=event))


def _refuse_stale(row: WorkListRow, now: Micros) -> None:
    """Refuse to approve what nobody can use or still means."""
    if row.size == 0:
        raise ConflictError("this work list is empty: its proposer must upload it first")
    if row.ends_at <= now:
        raise ConflictError("this work list has come to its end: propose a new one")
    if row.lapses_at <= now:
        raise ConflictError(
            f"this work list has waited {APPROVE_WITHIN // DAY} days for its approvals: its "
            "proposer must upload its customers again"
        )


def _approved(view: ReadView, row: WorkListRow, by: Principal) -> WorkListRow:
    """The row after one more approval.

    Raises:
        AccessDeniedError: It is the first approver's own second, or somebody's of the same line.
    """
    if row.first_approved_by is None:
        return dataclasses.replace(row, first_approved_by=by.id)
    if row.first_approved_by == by.id:
        raise AccessDeniedError("you have approved this list already: somebody else must, too")
    first = view.principal(row.tenant, row.first_approved_by)
    require_second_person(first, by, whose="first approver")
    return dataclasses.replace(row, approved_by=by.id)


def _digest(view: ReadView, row: WorkListRow) -> str:
    return digest_of(view.work_list_members(row.tenant, row.id))


def _found(view: ReadView, principal: Principal, list_id: str) -> WorkListRow:
    row = view.work_list(principal.tenant, list_id)
    if row is None:
        raise NotFoundError("there is no such work list: check its id")
    return row


def _own_proposal(view: ReadView, principal: Principal, list_id: str) -> WorkListRow:
    row = _found(view, principal, list_id)
    if row.proposed_by != principal.id:
        raise AccessDeniedError("only who proposed a work list uploads into it: propose your own")
    if row.approved_by is not None:
        raise ConflictError("this work list is approved: propose a new one")
    return row


def _is_person(principal: Principal) -> bool:
    return principal.kind is ActorKind.HUMAN and principal.actor is None


def _require_writer(principal: Principal) -> None:
    if "work-lists:write" not in principal.scopes:
        raise AccessDeniedError("this credential may not propose lists: `work-lists:write`")


def _check(put: WorkListPut) -> None:
    if put.customers is not None and not 0 < len(put.customers) <= MAX_SIZE:
        raise InvalidRequestError(f"a list in one body holds 1 to {MAX_SIZE} customers: upload it")
    if not 0 < put.ends_at - put.starts_at <= MAX_LIFE:
        raise InvalidRequestError("a work list lasts more than nothing and at most 92 days")
    if put.pace is not None and not 0 < put.pace <= MAX_PACE:
        raise InvalidRequestError(f"`pace` is 1 to {MAX_PACE} customers an hour")
    if put.fields is not None and not put.fields:
        raise InvalidRequestError("`fields` names at least one field: leave it out for all")
