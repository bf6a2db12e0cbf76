"""Breaking the glass: who may, for whom, how often; and ending it before its time.

It is scarce (`PER_DAY`, `PER_MONTH` for each person), counted in the transaction that opens it. A
review that is overdue stops the next one of the same person. Whatever is refused is an entry.
"""

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from guard.after_reviews import glass_key, is_glass_overdue
from guard.break_glass.terms import (
    KIND,
    MAX_MINUTES,
    MAX_TEXT,
    MIN_TEXT,
    GlassPut,
    Parts,
    found,
    no_such,
    record,
)
from guard.clock import DAY, MINUTE, Micros
from guard.entries import EntryKind, NewEntry, Receipt, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.findings import Finding, FindingKind, Severity
from guard.ports import Transaction
from guard.principals import Principal
from guard.rows import GrantRow, ResponseKind
from policies.model import ActorKind, Role

PER_DAY, PER_MONTH = 2, 5
MONTH: Micros = 30 * DAY
_MAY_BREAK = frozenset({Role.AGENT, Role.LEAD, Role.MANAGER})


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why nothing was opened; its entry is written."""

    error: Exception


async def open_glass(parts: Parts, principal: Principal, put: GlassPut) -> GrantRow:
    """See `BreakGlass.open`."""
    _check(put)

    def work(tx: Transaction) -> GrantRow | _Refused:
        at = max(parts.clock.now(), tx.rows.newest_at())
        recent = tx.rows.grants_of(principal.tenant, KIND, principal.id, at - MONTH)
        try:
            _admit(tx, principal, put, recent, at)
        except (AccessDeniedError, ConflictError, NotFoundError) as error:
            _refuse(tx, principal, put, str(error), at)
            return _Refused(error)
        row = GrantRow(
            id="glass-" + secrets.token_hex(8),
            tenant=principal.tenant,
            kind=KIND,
            agent_id=principal.id,
            ref=put.customer,
            reason_code=put.reason_code.value,
            starts_at=at,
            ends_at=at + put.minutes * MINUTE,
        )
        tx.rows.put_grant(row)
        event = event_by(principal, EntryKind.GRANT, at)
        receipt = record(tx, event, row, "opened", (put.case, put.text))
        today = 1 + sum(one.starts_at > at - DAY for one in recent)
        parts.alerts.notice(tx, row.tenant, _finding(row, receipt, today))
        return row

    answer = await parts.committer.run(work)
    if isinstance(answer, _Refused):
        raise answer.error
    return answer


async def end_glass(parts: Parts, principal: Principal, grant_id: str) -> GrantRow:
    """See `BreakGlass.end`."""

    def work(tx: Transaction) -> GrantRow:
        row = found(tx.rows, principal, grant_id)
        if row.agent_id != principal.id:
            raise no_such()
        at = max(parts.clock.now(), tx.rows.newest_at())
        if row.ends_at <= at:
            raise ConflictError("this break-glass has ended")
        ended = dataclasses.replace(row, ends_at=at)
        tx.rows.put_grant(ended)
        record(tx, event_by(principal, EntryKind.GRANT, at), ended, "ended")
        return ended

    return await parts.committer.run(work)


def _admit(
    tx: Transaction, principal: Principal, put: GlassPut, recent: Sequence[GrantRow], at: Micros
) -> None:
    """Refuse who may not, whom, how often."""
    is_person = principal.kind is ActorKind.HUMAN and principal.actor is None
    if principal.role not in _MAY_BREAK or not is_person:
        raise AccessDeniedError("an agent, lead or manager breaks the glass: ask one of them")
    held = tx.rows.responses(principal.tenant, key=principal.agent_key, active_at=at)
    if any(one.kind is ResponseKind.SUSPEND for one in held):
        raise AccessDeniedError("this access is suspended: see your notices")
    if tx.rows.subject(principal.tenant, put.customer) is None:
        raise NotFoundError("there is no such customer: use the reference that came with the case")
    if any(one.ref == put.customer and one.ends_at > at for one in recent):
        raise ConflictError("the glass is broken for this customer already: use that grant")
    if any(is_glass_overdue(one, at) for one in recent):
        raise AccessDeniedError("an earlier break-glass waits for its review: ask for it first")
    today = sum(one.starts_at > at - DAY for one in recent)
    month = sum(one.starts_at > at - MONTH for one in recent)
    if today >= PER_DAY or month >= PER_MONTH:
        raise AccessDeniedError(
            f"the glass is broken at most {PER_DAY} times a day and {PER_MONTH} times in 30 "
            "days: ask somebody who has a case of this customer"
        )


def _refuse(tx: Transaction, principal: Principal, put: GlassPut, why: str, at: Micros) -> None:
    """Record what was asked and not given; a reference that is nobody's has no subject."""
    event = msgspec.structs.replace(
        event_by(principal, EntryKind.GRANT, at),
        outcome="refused",
        reasons=(why,),
        body={
            "kind": KIND.value,
            "state": "refused",
            "agent": principal.id,
            "reason_code": put.reason_code.value,
        },
    )
    known = tx.rows.subject(principal.tenant, put.customer) is not None
    part = SubjectPart(customer=put.customer, case=put.case or "", reason=put.text)
    tx.record(NewEntry(kind=EntryKind.GRANT, event=event, subjects=(part,) if known else ()))


def _finding(row: GrantRow, receipt: Receipt, today: int) -> Finding:
    """The notice of one break-glass: no suspicion, so its score is nothing."""
    minutes = (row.ends_at - row.starts_at) // MINUTE
    return Finding(
        key=glass_key(row),
        kind=FindingKind.BREAK_GLASS,
        raised_at=row.starts_at,
        first_event_at=row.starts_at,
        agent_ids=(row.agent_id,),
        score=0.0,
        severity=Severity.LOW if today == 1 else Severity.MEDIUM,
        channels=("break_glass",),
        reasons=(
            f"the glass was broken for one customer for {minutes} minutes: {row.reason_code}",
            f"{today} of {PER_DAY} times in 24 hours",
        ),
        contributions=(("break_glass", 1.0),),
        evidence=() if receipt.index is None else (receipt.index,),
        unplaced=(receipt.entry_id,) if receipt.index is None else (),
        explained_by=("its review afterwards says whether it was justified",),
    )


def _check(put: GlassPut) -> None:
    if not 1 <= put.minutes <= MAX_MINUTES:
        raise InvalidRequestError(f"`minutes` is 1 to {MAX_MINUTES}")
    if len(put.text.strip()) < MIN_TEXT or len(put.text) > MAX_TEXT:
        raise InvalidRequestError(
            f"say in `text` what happens, in {MIN_TEXT} to {MAX_TEXT} letters"
        )
