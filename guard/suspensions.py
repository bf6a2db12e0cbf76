"""Responses against somebody's access: begun, ended, shown to those concerned, contested.

A machine may warn, mask more and cut to explained-only; a suspension is a human's, or follows hard
evidence. Every response has an end, a neutral notice and a way to contest. It writes the row of the
principal's budgets, which every admission locks: once `suspend` has returned, none commits.
"""

import dataclasses
import secrets
from dataclasses import dataclass

import msgspec

from guard.clock import DAY, Clock, Micros
from guard.entries import SYSTEM, EntryKind, EventPart, NewEntry, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ports import Committer, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import PrincipalRow, ResponseKind, ResponseRow
from policies.model import ActorKind, Role

MAX_LIFE: Micros = 30 * DAY
MAX_TEXT = 2_000
_MAY_RESPOND = frozenset({Role.ANALYST, Role.ADMIN})
_MAY_READ = _MAY_RESPOND | {Role.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A response to begin: against whom, what, until when, why, and for which alert."""

    agent_id: str
    kind: ResponseKind
    ends_at: Micros
    reason: str
    alert_id: str | None


def principal_key(row: PrincipalRow) -> str:
    """The budget and suspension key of somebody in the directory."""
    prefix = "actor" if row.kind is ActorKind.AI else "agent"
    return f"{prefix}:{row.tenant}/{row.id}"


def begin(tx: Transaction, target: PrincipalRow, step: Step, event: EventPart) -> ResponseRow:
    """Begin a response inside a transaction, with its entry; `event` says who and when."""
    row = ResponseRow(
        id="rsp-" + secrets.token_hex(8),
        tenant=target.tenant,
        key=principal_key(target),
        kind=step.kind,
        alert_id=step.alert_id,
        by=event.agent,
        reason=step.reason,
        starts_at=event.at,
        ends_at=step.ends_at,
        ended_at=None,
        contested=None,
    )
    tx.rows.put_response(row)
    _record(tx, event, row, is_active=True)
    return row


def end(tx: Transaction, row: ResponseRow, event: EventPart) -> ResponseRow:
    """End a response before its time, with its entry."""
    ended = dataclasses.replace(row, ended_at=event.at)
    tx.rows.put_response(ended)
    _record(tx, event, ended, is_active=False)
    return ended


def kind_of(kind: ResponseKind) -> EntryKind:
    """The kind of entry that a response is."""
    return EntryKind.SUSPENSION if kind is ResponseKind.SUSPEND else EntryKind.RESPONSE


def _record(tx: Transaction, event: EventPart, row: ResponseRow, *, is_active: bool) -> None:
    kind = kind_of(row.kind)
    body = {
        "response": row.id,
        "key": row.key,
        "agent": row.key.partition("/")[2],
        "kind": row.kind.value,
        "until": row.ends_at,
        "by": event.agent,
        "active": is_active,
        "alert": row.alert_id or "",
    }
    named = msgspec.structs.replace(event, kind=kind.name.lower(), body=body)
    tx.record(NewEntry(kind=kind, event=named))


class Suspensions:
    """What analysts do to access, and what those concerned may see of it."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock) -> None:
        """Write through `committer`, read through `readers`."""
        self._committer, self._readers, self._clock = committer, readers, clock

    async def suspend(
        self,
        principal: Principal,
        *,
        agent_id: str,
        reason: str,
        ends_at: Micros,
        alert_id: str | None = None,
    ) -> ResponseRow:
        """Suspend somebody at once; when this returns nothing of theirs is admitted any more.

        Raises:
            AccessDeniedError: The role may not, or it is the caller's own access.
            InvalidRequestError: No reason, or no end within 30 days.
            NotFoundError: There is nobody of that id.
        """
        _require(principal, _MAY_RESPOND, "suspend somebody")
        if agent_id == principal.id:
            raise AccessDeniedError("nobody suspends themselves: sign out instead")
        now = self._clock.now()
        _check_reason(reason)
        if not now < ends_at <= now + MAX_LIFE:
            raise InvalidRequestError("a suspension ends in the future, at most 30 days away")
        step = Step(
            agent_id=agent_id,
            kind=ResponseKind.SUSPEND,
            ends_at=ends_at,
            reason=reason,
            alert_id=alert_id,
        )

        def work(tx: Transaction) -> ResponseRow:
            target = tx.rows.principal(principal.tenant, agent_id)
            if target is None:
                raise NotFoundError("nobody of that id is in the directory")
            return begin(tx, target, step, event_by(principal, EntryKind.SUSPENSION, now))

        return await self._committer.run(work)

    async def lift(self, principal: Principal, response_id: str, reason: str) -> ResponseRow:
        """End a response early. A suspension set by a person needs somebody else to lift it.

        Raises:
            AccessDeniedError: The role may not, it is one's own access, or the same person set it.
            NotFoundError: There is no such response.
            ConflictError: It has ended already.
        """
        _require(principal, _MAY_RESPOND, "lift a response")
        _check_reason(reason)
        now = self._clock.now()

        def work(tx: Transaction) -> ResponseRow:
            row = tx.rows.response(principal.tenant, response_id)
            if row is None:
                raise NotFoundError("no such response")
            if row.ended_at is not None or row.ends_at <= now:
                raise ConflictError("this response has ended already")
            if row.key in principal.keys:
                raise AccessDeniedError("nobody lifts a response against themselves")
            if row.kind is ResponseKind.SUSPEND and row.by != SYSTEM:
                setter = tx.rows.principal(row.tenant, row.by)
                require_second_person(setter, principal)
            return end(tx, row, event_by(principal, kind_of(row.kind), now))

        return await self._committer.run(work)

    async def active(self, principal: Principal, agent_id: str | None) -> list[ResponseRow]:
        """Responses in force, newest first; all, or somebody's.

        Raises:
            AccessDeniedError: The role may not read them.
        """
        _require(principal, _MAY_READ, "read responses")
        now = self._clock.now()
        rows = await self._readers.read(
            lambda view: view.responses(principal.tenant, key=None, active_at=now)
        )
        return [r for r in rows if agent_id is None or r.key.partition("/")[2] == agent_id]

    async def notices(self, principal: Principal) -> list[ResponseRow]:
        """What concerns the caller's own access, newest first, past ones too."""

        def look(view: ReadView) -> list[ResponseRow]:
            of_key = (
                view.responses(principal.tenant, key=k, active_at=None) for k in principal.keys
            )
            return [row for rows in of_key for row in rows]

        return await self._readers.read(look)

    async def contest(self, principal: Principal, response_id: str, text: str) -> ResponseRow:
        """Object to a response against oneself; analysts see it beside the alert.

        Raises:
            NotFoundError: There is no such response against the caller.
            InvalidRequestError: The text is empty or too long.
        """
        _check_reason(text)

        def work(tx: Transaction) -> ResponseRow:
            row = tx.rows.response(principal.tenant, response_id)
            if row is None or row.key not in principal.keys:
                raise NotFoundError("no such notice")
            contested = dataclasses.replace(row, contested=text)
            tx.rows.put_response(contested)
            event = msgspec.structs.replace(
                event_by(principal, EntryKind.CONTEST, self._clock.now()),
                body={"response": row.id, "alert": row.alert_id or ""},
            )
            tx.record(NewEntry(kind=EntryKind.CONTEST, event=event))
            return contested

        return await self._committer.run(work)


def _require(principal: Principal, roles: frozenset[Role], what: str) -> None:
    if principal.role not in roles:
        raise AccessDeniedError(f"an analyst or administrator may {what}")


def _check_reason(text: str) -> None:
    if not text.strip() or len(text) > MAX_TEXT:
        raise InvalidRequestError(f"give a reason of 1 to {MAX_TEXT} characters")
