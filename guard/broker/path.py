"""The one path that every act goes: facts, decision, budgets, fetch, mask, one admission.

An act's own module says what it fetches and what it makes of it; everything that could be forgotten
is here. Facts are stored for every request whose purpose and customer are known, refused or not, so
that whatever a policy could decide can be decided again.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from guard import admission
from guard.admission import Admission, Admitted
from guard.attempts import KINDS, Attempt, Refusal
from guard.broker.advice import FieldAdvice, after_refusal
from guard.broker.charging import (
    ListLimits,
    bindings_of,
    list_limits,
    own_statuses,
    refused_by_budget,
)
from guard.broker.parts import Parts
from guard.clock import Micros
from guard.entries import BodyValue, NewEntry, Receipt, event_by
from guard.errors import NotFoundError, SourceError, StoreUnavailableError
from guard.facts import Asked, bind_case, gather
from guard.masking.context import MaskContext
from guard.principals import Principal
from guard.purposes.walk import Walk
from guard.quotas import Binding, peek, statuses
from guard.rows import RawRecord, Situation, SituationQuery, SubjectRow
from guard.views import FieldNote, RefusalCode, Refused, Served, ViewRequest
from policies.cedar_text import POLICY_ERROR
from policies.model import Act, Decision, Facts, Forbid, Form, Mode, Purpose

T = TypeVar("T")

# A risk that rises between decision and admission makes the broker decide again; more often than
# this is no coincidence.
MAX_TRIES = 3
# Budget keys whose being spent is remembered, so that the next request is refused before its fetch.
MAX_SPENT = 10_000
EXPLAINED_ONLY = "explained-only"

SUSPENDED = Refusal(
    code=RefusalCode.SUSPENDED,
    reasons=("your access is suspended while a review is under way: see your notices",),
    determined_by=("suspended",),
)
UNKNOWN_PURPOSE = Refusal(
    code=RefusalCode.POLICY,
    reasons=("there is no such purpose: use one of " + ", ".join(Purpose),),
    determined_by=("unknown-purpose",),
)
UNKNOWN_CUSTOMER = Refusal(
    code=RefusalCode.UNKNOWN_CUSTOMER,
    reasons=("there is no such customer: use the reference that came with the case",),
    determined_by=("unknown-customer",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A try that the policy lets go on (or would not, in a mode that refuses nothing)."""

    attempt: Attempt
    subject: SubjectRow
    facts: Facts
    decision: Decision
    limits: ListLimits
    bindings: tuple[Binding, ...]

    @property
    def would(self) -> str:
        """What enforcing would have done, as far as the decision says."""
        return "refused" if isinstance(self.decision, Forbid) else ""

    def with_body(self, **more: BodyValue) -> "Decided":
        """The same with more of what is particular to the entry's kind."""
        return replace(self, attempt=self.attempt.with_body(**more))


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How a record will look, and what enforcing would have done ('' where it is done)."""

    forms: Mapping[str, Form]
    explanations: Mapping[str, str]
    would: str


class OnePath:
    """What all acts share. One per broker."""

    def __init__(self, parts: Parts) -> None:
        """Go by these parts."""
        self.parts = parts
        self._walk = Walk()
        self._advice = FieldAdvice()
        self._spent_until: dict[str, Micros] = {}
        # Facts are closed enums and booleans: there are few, so the set stays small.
        self._interned: set[str] = set()
        self._running: set[asyncio.Task[Any]] = set()

    async def settled(self, once: Callable[[], Awaitable[T | Attempt]]) -> T:
        """Try until the caller's standing has held still from the decision to the admission.

        Raises:
            StoreUnavailableError: It did not; that is an entry too.
        """
        for _ in range(MAX_TRIES - 1):
            answer = await once()
            if not isinstance(answer, Attempt):
                return answer
        answer = await once()
        if isinstance(answer, Attempt):
            error = StoreUnavailableError("the caller's standing keeps changing, try again")
            await self.fail(answer, error)
            raise error
        return answer

    async def attempted(self, principal: Principal, act: Act, request: ViewRequest) -> Attempt:
        """Read what the store knows about the caller, the customer and what binds them."""
        purpose = purpose_of(request)
        at = self.parts.clock.now()
        asked = replace(query(principal, request, at), is_row=act is Act.LIST)
        situation = await self.parts.readers.situation(asked)
        in_force = self.parts.policies.of(principal.tenant)
        event = msgspec.structs.replace(
            event_by(principal, KINDS[act], at),
            act=act.value,
            purpose="unknown" if purpose is None else purpose.value,
            mode=situation.mode.value,
            bundle=in_force.engine.bundle.digest,
            device=request.device or "",
        )
        return Attempt(
            principal=principal,
            request=request,
            at=at,
            situation=situation,
            event=event,
            in_force=in_force,
            act=act,
        )

    async def decide(
        self, principal: Principal, act: Act, request: ViewRequest
    ) -> Decided | Refused:
        """Steps 2 to 4 for an act on one customer: facts, decision, a look at the budgets."""
        attempt = await self.attempted(principal, act, request)
        purpose, subject = purpose_of(request), attempt.situation.subject
        if purpose is None or subject is None:
            if attempt.situation.is_suspended:
                return await self.refuse(attempt, SUSPENDED)
            known = UNKNOWN_PURPOSE if purpose is None else UNKNOWN_CUSTOMER
            return await self.refuse(attempt, known)
        facts = facts_of(attempt, attempt.situation, purpose)
        attempt = replace(attempt, bound=_bound(attempt, purpose))
        body = {"decoy": True} if subject.is_decoy else {}
        attempt = await self.with_facts(attempt.with_body(**body), facts)
        decided = await self.judge(attempt, facts)
        if isinstance(decided, Refused):
            return decided
        attempt, decision = decided
        limits = list_limits(attempt.situation, principal)
        risk, in_force = attempt.situation.risk, attempt.in_force
        bindings = bindings_of(principal, purpose, risk, in_force, act, subject.ref)
        bindings += limits.bindings
        over = await self.peek(attempt, bindings, subject.ref)
        if over is not None:
            return over
        return Decided(
            attempt=attempt,
            subject=subject,
            facts=facts,
            decision=decision,
            limits=limits,
            bindings=bindings,
        )

    async def with_facts(self, attempt: Attempt, facts: Facts) -> Attempt:
        """Name the facts in whatever entry the try ends in, and keep them for a replay."""
        name = facts.facts_id
        if name not in self._interned:
            await self.parts.committer.run(lambda tx: tx.rows.put_facts({name: facts.as_dict()}))
            self._interned.add(name)
        return attempt.with_body(on_shift=facts.on_shift).with_event(
            link=facts.link.value, tier=facts.tier.value, facts_id=name
        )

    async def judge(self, attempt: Attempt, facts: Facts) -> tuple[Attempt, Decision] | Refused:
        """Let the policy decide, after a suspension and before everything else."""
        if attempt.situation.is_suspended:
            return await self.refuse(attempt, SUSPENDED)
        decision = attempt.in_force.engine.decide(facts, attempt.act)
        attempt = attempt.with_event(determined_by=decision.determined_by)
        if isinstance(decision, Forbid) and _is_carried_out(decision, attempt):
            return await self.refuse(attempt, forbidden(attempt, facts, decision))
        return attempt, decision

    async def peek(
        self, attempt: Attempt, bindings: tuple[Binding, ...], ref: str
    ) -> Refused | None:
        """Refuse before the fetch who was over budget a moment ago and still is.

        Everybody else is spared the read: admission decides, exactly.
        """
        keys = {binding.key for binding in bindings}
        if not attempt.meters or all(self._spent_until.get(k, 0) <= attempt.at for k in keys):
            return None
        pairs = {(key, ref) for key in keys}
        state = await self.parts.readers.read(lambda v: v.budget_state(keys, pairs, attempt.at))
        over = peek(state, bindings, ref, attempt.at)
        if over is None:
            return None
        left = statuses(state, bindings, attempt.at)
        receipt = await self.record(attempt.exceeded(over.budgets))
        return refused_by_budget(bindings, left, over.budgets, receipt)

    def walked(self, decided: Decided) -> Decided:
        """Note how far this source key lies from the one that the same agent viewed before."""
        key = self.parts.keyring.source_key(decided.subject)
        step = self._walk.step(decided.attempt.principal.agent_key, key)
        return replace(decided, attempt=decided.attempt.with_event(walk=step))

    async def serve(
        self, decided: Decided, showing: Showing, fields: tuple[str, ...] | None
    ) -> Served | Refused | Attempt:
        """Steps 5 to 7 of what shows a record: fetch what shows, mask it at once, admit."""
        catalogue = decided.attempt.in_force.engine.bundle.catalogue.fields
        asked = within(catalogue, fields, decided.limits.fields)
        plan = decided.attempt.in_force.plans.plan(showing.forms, asked)
        attempt = decided.attempt.with_event(
            classes=plan.classes,
            n_fields=plan.n_fields,
            n_sensitive=plan.n_sensitive,
            would=showing.would,
        )
        decided = replace(decided, attempt=attempt)
        context = self._context(attempt, decided.subject)
        record = await self.fetched(
            decided, plan.source_fields, lambda raw: plan.apply(raw, context)
        )
        answer = await self.admit(attempt, decided.bindings, decided.subject.ref)
        if not isinstance(answer, Admitted):
            return answer
        return Served(
            record=record,
            fields=self.notes(decided, showing, plan.shown, plan.synthetic),
            mode=attempt.situation.mode,
            would="refused" if answer.over else showing.would,
            budgets=answer.statuses,
            receipt=answer.receipt,
            view_code=view_code(answer.receipt.entry_id),
        )

    def _context(self, attempt: Attempt, subject: SubjectRow) -> MaskContext:
        """What keyed masks of this view join on: the case, or else the purpose."""
        scope = f"case:{attempt.case}" if attempt.case else f"purpose:{attempt.request.purpose}"
        key = self.parts.keyring.derived(subject.tenant, "mask")
        return MaskContext(key=key, subject=subject.ref, scope=scope)

    async def fetched(
        self, decided: Decided, fields: frozenset[str], use: Callable[[RawRecord], T]
    ) -> T:
        """Fetch top-level `fields` and hand the record to `use`, one of masking's own.

        A try that fails here ends in an entry: also a cancelled caller, and an error that nobody
        expected. What was asked of the source is in the log.
        """
        try:
            return use(await self._fetch(decided.subject, fields))
        except BaseException as error:
            await asyncio.shield(self.fail(decided.attempt, error))
            raise

    async def _fetch(self, subject: SubjectRow, fields: frozenset[str]) -> RawRecord:
        source = self.parts.sources.get(subject.source)
        if source is None:
            raise SourceError("this customer's source is not configured: check the mapping file")
        key = self.parts.keyring.source_key(subject)
        try:
            async with asyncio.timeout(self.parts.source_deadline_s):
                raw = await source.fetch(key, fields)
        except TimeoutError:
            raise SourceError("the record source did not answer in time, try again") from None
        if raw is None:
            raise NotFoundError("the customer's record is gone from its source")
        return raw

    async def admit(
        self,
        attempt: Attempt,
        bindings: tuple[Binding, ...],
        ref: str,
        done: Attempt | None = None,
    ) -> Admitted | Refused | Attempt:
        """Steps 7: consume and append, or say why not; the attempt itself: decide again.

        `done` is what the entry says if the act is carried out, where a refusal says less.
        """
        done = done or attempt
        answer = await self.parts.committer.admit(
            Admission(
                keys=attempt.principal.keys,
                risk=attempt.situation.risk,
                bindings=bindings,
                ref=ref,
                entry=done.shown(),
                suspended=attempt.refused(SUSPENDED),
                exceeded=(attempt if attempt.meters else done).exceeded,
                is_enforced=attempt.meters,
            )
        )
        match answer:
            case admission.Admitted():
                return replace(answer, statuses=own_statuses(bindings, answer.statuses))
            case admission.Refused():
                self._remember_spent(bindings, answer.retry_at)
                return refused_by_budget(bindings, answer.statuses, answer.exceeded, answer.receipt)
            case admission.Suspended():
                return SUSPENDED.answer(answer.receipt)
            case admission.Stale():
                return attempt

    def notes(
        self,
        decided: Decided,
        showing: Showing,
        shown: Mapping[str, Form],
        synthetic: frozenset[str] = frozenset(),
    ) -> tuple[FieldNote, ...]:
        """Why each shown field looks as it does, and how to get more of it."""
        attempt = decided.attempt
        catalogue = attempt.in_force.engine.bundle.catalogue.fields
        advice = self._advice.of(attempt.in_force, decided.facts, attempt.act, showing.forms)
        return tuple(
            FieldNote(
                path=path,
                cls=catalogue[path].cls,
                form=form,
                why=showing.explanations.get(catalogue[path].cls, ""),
                next=() if form is Form.PLAIN else advice.get(path, ()),
                synthetic=path in synthetic,
                verify=catalogue[path].verify,
                contact=catalogue[path].contact,
            )
            for path, form in shown.items()
        )

    def start(self, work: Coroutine[None, None, T]) -> None:
        """Carry `work` through to its end, though nobody waits for it."""
        self._begun(work)  # type: ignore[unused-awaitable] # kept among the running ones

    async def finished(self, work: Coroutine[None, None, T]) -> T:
        """Carry `work` through to its end, even when nobody waits for it any more."""
        return await asyncio.shield(self._begun(work))

    def _begun(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def refuse(self, attempt: Attempt, refusal: Refusal) -> Refused:
        """End a try in a refusal."""
        return refusal.answer(await self.record(attempt.refused(refusal)))

    async def fail(self, attempt: Attempt, error: BaseException) -> None:
        """Record that a permitted act ended without being carried out."""
        await self.record(attempt.failed(error))

    async def record(self, entry: NewEntry) -> Receipt:
        """Append one entry that charges nothing."""
        return await self.parts.committer.run(lambda tx: tx.record(entry))

    def _remember_spent(self, bindings: tuple[Binding, ...], until: Micros) -> None:
        if len(self._spent_until) >= MAX_SPENT:
            self._spent_until.clear()
        self._spent_until |= {binding.key: until for binding in bindings}


def purpose_of(request: ViewRequest) -> Purpose | None:
    """The purpose by its name; None: there is no such purpose."""
    return Purpose(request.purpose) if request.purpose in set(Purpose) else None


def _bound(attempt: Attempt, purpose: Purpose) -> str | None:
    asked = Asked(case=attempt.request.case, reason=None, is_row=attempt.act is Act.LIST)
    return bind_case(attempt.principal, attempt.situation, purpose, asked, attempt.at)


def facts_of(attempt: Attempt, situation: Situation, purpose: Purpose) -> Facts:
    """The facts of a try, about the customer of `situation`."""
    asked = Asked(
        case=attempt.request.case,
        reason=attempt.request.reason,
        is_row=attempt.act is Act.LIST,
    )
    return gather(attempt.principal, situation, purpose, asked, attempt.at)


def query(principal: Principal, request: ViewRequest, at: Micros) -> SituationQuery:
    """What to ask the store about a request."""
    purpose = purpose_of(request)
    return SituationQuery(
        tenant=principal.tenant,
        agent_id=principal.id,
        actor_id=principal.actor,
        keys=principal.keys,
        vendor=principal.vendor,
        team=principal.team,
        purpose="" if purpose is None else purpose.value,
        ref=request.customer,
        case_id=request.case,
        at=at,
    )


def forbidden(attempt: Attempt, facts: Facts, decision: Forbid) -> Refusal:
    """The refusal that a policy asks for, with what would help."""
    code = (
        RefusalCode.EXPLAINED_ONLY
        if EXPLAINED_ONLY in decision.determined_by
        else RefusalCode.POLICY
    )
    return Refusal(
        code=code,
        reasons=decision.reasons,
        determined_by=decision.determined_by,
        next=after_refusal(attempt.in_force, facts, attempt.act),
    )


def showing_of(decided: Decided) -> Showing:
    """The forms to carry out: the decision's, or what the mode shows instead."""
    attempt, decision = decided.attempt, decided.decision
    engine = attempt.in_force.engine
    if attempt.enforces and not isinstance(decision, Forbid):
        return Showing(forms=decision.forms, explanations=decision.explanations, would="")
    would = decided.would
    if attempt.situation.mode is Mode.OBSERVE:
        return Showing(forms=engine.unmasked(), explanations={}, would=would or "masked")
    shown = engine.forms(decided.facts, attempt.act)
    if isinstance(shown, Forbid):
        # A policy that cannot be evaluated shows nothing in any mode that masks.
        return Showing(forms={}, explanations={}, would=would)
    return Showing(forms=shown.forms, explanations=shown.explanations, would=would)


def within(
    known: Mapping[str, object], asked: tuple[str, ...] | None, limit: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """The paths asked for that lie in `limit`, one by one; as asked where there is no limit."""
    if limit is None:
        return asked
    inside = [path for path in known if _lies_in(path, limit)]
    return tuple(path for path in inside if asked is None or _lies_in(path, asked))


def _lies_in(path: str, names: tuple[str, ...]) -> bool:
    """Whether a path is one of `names`, or below the object or list that one of them names."""
    bare = path.replace("[]", "") + "."
    return any(bare.startswith(name.replace("[]", "") + ".") for name in names)


def _is_carried_out(decision: Forbid, attempt: Attempt) -> bool:
    """Whether a refusal by policy refuses, or is only recorded.

    The caller chooses the purpose, so a rule that lets one purpose pass must not open what the same
    people are refused otherwise. A policy that cannot be evaluated shows nothing in any mode.
    """
    weakest = Mode.ENFORCE in (attempt.situation.mode, attempt.situation.mode_elsewhere)
    return weakest or POLICY_ERROR in decision.determined_by


def view_code(entry_id: str) -> str:
    """Eight characters of an entry's id in base 32, to stand on the screen: `K7QA-93DM`.

    40 bits: a photograph with the minute that it shows leads to one entry.
    """
    text = base64.b32encode(bytes.fromhex(entry_id)[-5:]).decode()
    return f"{text[:4]}-{text[4:]}"
