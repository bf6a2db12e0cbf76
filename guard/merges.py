"""Merging two customers' records by reference: one person who became two in the source system.

Nobody sees either record for it. The agent needs a strong explanation for both customers, by the
facts that a view is decided on, and the policy must permit to act for both; a mode that only
observes changes nothing here, as a merge is a change and not a look. Then the source system is told
by a signed webhook, with its own two keys, and does the merge.

The broker's two references stay: history must not change. That they are one person is kept as the
relation `merged`. First the `MERGE` entry, then the notice, then the relation with its own entry:
a merge that broke off in between is in the log, and may be asked for again.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from guard import admission
from guard.admission import Admission, GroupCommitter
from guard.attempts import Refusal, over_budget
from guard.clock import Clock, Micros
from guard.entries import EntryKind, EventPart, NewEntry, Outcome, Receipt, SubjectPart, event_by
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    StoreUnavailableError,
)
from guard.facts import Asked, gather, situation_query
from guard.in_force import InForce, Policies
from guard.ports import Readers, Transaction
from guard.principals import Principal
from guard.quotas import bind
from guard.rows import RelationRow, Situation, SubjectRow
from guard.vault.keyring import Keyring
from guard.views import NextStep, RefusalCode, Refused
from policies.model import Act, ActorKind, BudgetKey, Facts, Forbid, Link, Purpose

SCOPE = "merges:write"
RELATION = "merged"
MAX_REASON = 2_000

# What explains that somebody works on the very customer; a related case does not.
EXPLAINED = frozenset({Link.OWNER, Link.TAKEN, Link.ESCALATION, Link.TRANSFER, Link.QUEUE})

SUSPENDED = Refusal(
    code=RefusalCode.SUSPENDED,
    reasons=("your access is suspended while a review is under way: see your notices",),
    determined_by=("suspended",),
)
UNKNOWN_CUSTOMER = Refusal(
    code=RefusalCode.UNKNOWN_CUSTOMER,
    reasons=("there is no such customer: use the references that came with the cases",),
    determined_by=("unknown-customer",),
)
UNEXPLAINED = Refusal(
    code=RefusalCode.POLICY,
    reasons=("a merge needs an open case of yours for both customers: have the other handed over",),
    determined_by=("merge-unexplained",),
    next=(NextStep.NAME_CASE, NextStep.ASK_SECOND_LINE),
)


class MergeNotice(Protocol):
    """*Protocol* of telling the source system; `guard.contacts` implements it."""

    async def send(self, payload: dict[str, object]) -> str:
        """Tell it once; its own id of the merge.

        Raises:
            NotDeliveredError: It was surely not taken.
            DeliveryUnknownError: It may have been taken.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """`merge` becomes part of `keep`; both by reference."""

    keep: str
    merge: str
    case: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merge that the source system has taken. `merge_id` is its own id of it."""

    keep: str
    merge: str
    merge_id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One of the two customers: what the store knows, and the facts from it."""

    situation: Situation
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One request, both its sides, and every entry that it can end in."""

    event: EventPart
    request: MergeRequest
    subjects: tuple[SubjectRow, ...]

    def ended(self, kind: EntryKind, outcome: Outcome, **changes: object) -> NewEntry:
        """The entry of an end, about both customers as far as they are known."""
        event = msgspec.structs.replace(
            self.event, kind=kind.name.lower(), outcome=outcome.value, **changes
        )
        parts = tuple(
            SubjectPart(customer=s.ref, case=self.request.case, reason=self.request.reason)
            for s in self.subjects
        )
        return NewEntry(kind=kind, event=event, subjects=parts)

    def refused(self, refusal: Refusal) -> NewEntry:
        """The entry of a refusal."""
        return self.ended(
            EntryKind.REFUSAL,
            Outcome.REFUSED,
            reasons=refusal.reasons,
            determined_by=tuple(dict.fromkeys((*self.event.determined_by, *refusal.determined_by))),
            body={"code": refusal.code.value, "what": "merge"},
        )


class Merges:
    """Merges customers' records through the source system."""

    def __init__(
        self,
        *,
        readers: Readers,
        committer: GroupCommitter,
        policies: Policies,
        keyring: Keyring,
        clock: Clock,
        notice: MergeNotice | None,
    ) -> None:
        """Tell the source system through `notice`; None: merges are not set up."""
        self._readers, self._committer, self._policies = readers, committer, policies
        self._keyring, self._clock, self._notice = keyring, clock, notice

    async def merge(self, principal: Principal, request: MergeRequest) -> Merged | Refused:
        """Have two records merged, or refuse; either is an entry before this returns.

        Raises:
            AccessDeniedError: The credential lacks `merges:write`.
            InvalidRequestError: The two are one, or the reason is missing.
            ConflictError: No source system takes merges here.
            NotDeliveredError: The source system took nothing; that is an entry too.
            DeliveryUnknownError: It may have taken it; that is an entry too.
            StoreUnavailableError: No entry could be made durable in time.
        """
        _check(principal, request)
        notice = self._notice
        if notice is None:
            raise ConflictError("no source system takes merges here: set `merge_url` up first")
        at = self._clock.now()
        in_force = self._policies.of(principal.tenant)
        sides = [
            await self._side(principal, ref, request, at) for ref in (request.keep, request.merge)
        ]
        subjects = tuple(s.situation.subject for s in sides if s.situation.subject is not None)
        asked = _Asked(
            event=self._event(principal, in_force, sides, at), request=request, subjects=subjects
        )
        await self._intern(sides)
        refusal = _refusal(sides, in_force)
        if refusal is not None:
            entry = asked.refused(refusal)
            return refusal.answer(await self._committer.run(lambda tx: tx.record(entry)))
        admitted = await self._admit(principal, asked, sides[0], in_force)
        if isinstance(admitted, Refused):
            return admitted
        merge_id = await self._tell(notice, asked)
        await self._committer.run(lambda tx: _relate(tx, asked, merge_id))
        return Merged(keep=request.keep, merge=request.merge, merge_id=merge_id, receipt=admitted)

    async def _side(
        self, principal: Principal, ref: str, request: MergeRequest, at: Micros
    ) -> _Side:
        """One customer. The case that is named explains one of them; the other has its own."""
        purpose, case = Purpose.SUPPORT_CASE, request.case
        query = situation_query(principal, purpose, ref, case, at)
        situation = await self._readers.situation(query)
        found = situation.case
        is_of_this = found is not None and found.ref == ref
        asked = Asked(case=case if is_of_this else None, reason=request.reason)
        if not is_of_this:
            situation = await self._readers.situation(replace(query, case_id=None))
        return _Side(situation=situation, facts=gather(principal, situation, purpose, asked, at))

    def _event(
        self, principal: Principal, in_force: InForce, sides: list[_Side], at: Micros
    ) -> EventPart:
        kept, merged = sides[0].facts, sides[1].facts
        return msgspec.structs.replace(
            event_by(principal, EntryKind.MERGE, at),
            act=Act.CONTACT.value,
            purpose=Purpose.SUPPORT_CASE.value,
            link=kept.link.value,
            tier=kept.tier.value,
            facts_id=kept.facts_id,
            bundle=in_force.engine.bundle.digest,
            mode=sides[0].situation.mode.value,
            body={"link_of_merged": merged.link.value, "facts_of_merged": merged.facts_id},
        )

    async def _intern(self, sides: list[_Side]) -> None:
        """Keep the facts that the entry is about to name."""
        facts = {side.facts.facts_id: side.facts.as_dict() for side in sides}
        await self._committer.run(lambda tx: tx.rows.put_facts(facts))

    async def _admit(
        self, principal: Principal, asked: _Asked, side: _Side, in_force: InForce
    ) -> Receipt | Refused:
        """Charge it as a contact and write the entry: nothing is told before that."""
        keys = {BudgetKey.AGENT: principal.agent_key}
        if principal.actor_key is not None:
            keys[BudgetKey.ACTOR] = principal.actor_key
        risk = side.situation.risk
        answer = await self._committer.admit(
            Admission(
                keys=principal.keys,
                risk=risk,
                bindings=bind(
                    in_force.engine.bundle.budgets,
                    keys=keys,
                    kind=principal.kind if principal.actor is None else ActorKind.AI,
                    purpose=Purpose.SUPPORT_CASE,
                    risk=risk,
                    act=Act.CONTACT,
                ),
                ref=self._keyring.counted_as(asked.subjects[0]),
                entry=asked.ended(EntryKind.MERGE, Outcome.PERMITTED),
                suspended=asked.refused(SUSPENDED),
                exceeded=lambda names: asked.refused(over_budget(names)),
            )
        )
        match answer:
            case admission.Admitted():
                return answer.receipt
            case admission.Refused():
                refused = over_budget(answer.exceeded).answer(answer.receipt)
                return replace(
                    refused,
                    budgets=answer.statuses,
                    exceeded=answer.exceeded,
                    retry_at=answer.retry_at,
                )
            case admission.Suspended():
                return SUSPENDED.answer(answer.receipt)
            case admission.Stale():
                raise StoreUnavailableError("the caller's standing has just changed, try again")

    async def _tell(self, notice: MergeNotice, asked: _Asked) -> str:
        keep, merge = (
            {"source": s.source, "key": self._keyring.source_key(s)} for s in asked.subjects
        )
        try:
            return await notice.send({"type": "customer.merge", "keep": keep, "merge": merge})
        except BaseException as error:
            failed = asked.ended(
                EntryKind.FAILED,
                Outcome.FAILED,
                reasons=(type(error).__name__,),
                body={**asked.event.body, "what": "merge"},
            )
            await asyncio.shield(self._committer.run(lambda tx: tx.record(failed)))
            raise


def _relate(tx: Transaction, asked: _Asked, merge_id: str) -> None:
    """Keep that the two are one person, with the entry that says so."""
    refs = [subject.ref for subject in asked.subjects]
    tenant = asked.event.tenant
    tx.rows.put_relations(
        [
            RelationRow(tenant=tenant, ref=ref, other=other, kind=RELATION)
            for ref, other in (refs, refs[::-1])
        ]
    )
    body = {"kind": RELATION, "size": len(refs), "active": True, "merge": merge_id}
    tx.record(asked.ended(EntryKind.RELATION, Outcome.PERMITTED, body=body))


def _refusal(sides: list[_Side], in_force: InForce) -> Refusal | None:
    """Why it may not be; None: it may."""
    if any(side.situation.is_suspended for side in sides):
        return SUSPENDED
    if any(side.situation.subject is None for side in sides):
        return UNKNOWN_CUSTOMER
    for side in sides:
        decision = in_force.engine.decide(side.facts, Act.CONTACT)
        if isinstance(decision, Forbid):
            return Refusal(
                code=RefusalCode.POLICY,
                reasons=decision.reasons,
                determined_by=decision.determined_by,
                next=_steps(side.facts, in_force),
            )
    return None if all(side.facts.link in EXPLAINED for side in sides) else UNEXPLAINED


def _steps(facts: Facts, in_force: InForce) -> tuple[NextStep, ...]:
    """A case of one's own is offered where the policy would take it."""
    decision = in_force.engine.decide(replace(facts, link=Link.OWNER), Act.CONTACT)
    return () if isinstance(decision, Forbid) else UNEXPLAINED.next


def _check(principal: Principal, request: MergeRequest) -> None:
    if SCOPE not in principal.scopes:
        raise AccessDeniedError(f"this credential may not merge customers: `{SCOPE}`")
    if request.keep == request.merge:
        raise InvalidRequestError("a customer cannot be merged with itself: name two references")
    if not request.reason.strip() or len(request.reason) > MAX_REASON:
        raise InvalidRequestError(f"`reason` must be 1 to {MAX_REASON} characters")
