"""The one way to a customer record.

`Broker.view` gathers facts, lets the policy decide, fetches only what will show, masks it, and has
the view admitted: budgets consumed and the entry durable, or neither. Only then does a record
leave. A refusal is an entry too; so is a view that failed after it was permitted.
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from guard import admission
from guard.admission import Admission, GroupCommitter
from guard.attempts import Attempt, Refusal, over_budget
from guard.clock import Clock, Micros
from guard.entries import EntryKind, event_by
from guard.errors import NotFoundError, SourceError, StoreUnavailableError
from guard.facts import Asked, gather
from guard.in_force import InForce, Policies
from guard.masking.context import MaskContext
from guard.masking.plans import MaskPlan
from guard.masking.record import MaskedRecord
from guard.ports import Readers, RecordSource
from guard.principals import Principal
from guard.purposes.walk import Walk
from guard.quotas import Binding, BudgetStatus, bind, peek, statuses
from guard.rows import SituationQuery, SubjectRow
from guard.vault.keyring import Keyring
from guard.views import Answer, FieldNote, RefusalCode, Refused, Served, ViewRequest
from policies.cedar_text import POLICY_ERROR
from policies.model import ActorKind, BudgetKey, Decision, Facts, Forbid, Form, Mode, Purpose, Risk

# A risk that rises between decision and admission makes the broker decide again; more often than
# this is no coincidence.
MAX_TRIES = 3
# Agents whose spent budgets are remembered, so that their next request is refused before its fetch.
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
class _Showing:
    """How a view will look, and what enforcing would have done ('' where it is done)."""

    forms: Mapping[str, Form]
    explanations: Mapping[str, str]
    would: str


class Broker:
    """Serves views. One per process; safe for any number of concurrent callers on one loop."""

    def __init__(  # noqa: PLR0913 - the parts of the one path, each by name
        self,
        *,
        readers: Readers,
        committer: GroupCommitter,
        policies: Policies,
        sources: Mapping[str, RecordSource],
        keyring: Keyring,
        clock: Clock,
        source_deadline_s: float,
    ) -> None:
        """Put the one path together from its parts; `sources` by the name enrolment knows."""
        self._readers, self._committer, self._policies = readers, committer, policies
        self._sources, self._keyring, self._clock = sources, keyring, clock
        self._deadline = source_deadline_s
        self._walk = Walk()
        self._spent_until: dict[str, Micros] = {}
        # Facts are closed enums and booleans: there are few, so the set stays small.
        self._interned: set[str] = set()

    async def view(self, principal: Principal, request: ViewRequest) -> Answer:
        """Show one customer to one principal, or refuse; either is an entry before this returns.

        Raises:
            StoreUnavailableError: No entry could be made durable in time; nothing is shown.
            SourceError: The record could not be fetched; that is an entry too.
            NotFoundError: The record is gone from its source; that is an entry too.
            KeyUnavailableError: The customer's key is gone or cannot be reached.
        """
        answer = await self._try(principal, request)
        tries = 1
        while isinstance(answer, Attempt):
            if tries == MAX_TRIES:
                error = StoreUnavailableError("the caller's standing keeps changing, try again")
                await self._fail(answer, error)
                raise error
            answer = await self._try(principal, request)
            tries += 1
        return answer

    async def quota(self, principal: Principal) -> tuple[BudgetStatus, ...]:
        """What is used and left of the principal's own budgets, for every purpose."""
        now = self._clock.now()
        situation = await self._readers.situation(_query(principal, None, _NOBODY, now))
        bindings = {
            binding.budget.name: binding
            for purpose in Purpose
            for binding in _bindings(
                principal, purpose, situation.risk, self._policies.of(principal.tenant)
            )
        }
        mine = tuple(bindings.values())
        keys = {binding.key for binding in mine}
        return await self._readers.read(
            lambda view: statuses(view.budget_state(keys, (), now), mine, now)
        )

    async def _try(self, principal: Principal, request: ViewRequest) -> Answer | Attempt:
        """One try; the attempt itself: the principal's standing changed under it, so try again."""
        purpose = Purpose(request.purpose) if request.purpose in set(Purpose) else None
        at = self._clock.now()
        situation = await self._readers.situation(_query(principal, purpose, request, at))
        in_force = self._policies.of(principal.tenant)
        event = msgspec.structs.replace(
            event_by(principal, EntryKind.VIEW, at),
            purpose="unknown" if purpose is None else purpose.value,
            mode=situation.mode.value,
            bundle=in_force.engine.bundle.digest,
            device=request.device or "",
        )
        attempt = Attempt(
            principal=principal,
            request=request,
            at=at,
            situation=situation,
            event=event,
            in_force=in_force,
        )
        if situation.is_suspended:
            return await self._refuse(attempt, SUSPENDED)
        if purpose is None:
            return await self._refuse(attempt, UNKNOWN_PURPOSE)
        if situation.subject is None:
            return await self._refuse(attempt, UNKNOWN_CUSTOMER)
        return await self._decide(attempt, situation.subject, purpose)

    async def _decide(
        self, attempt: Attempt, subject: SubjectRow, purpose: Purpose
    ) -> Answer | Attempt:
        request = attempt.request
        asked = Asked(case=request.case, reason=request.reason)
        facts = gather(attempt.principal, attempt.situation, purpose, asked, attempt.at)
        await self._intern(facts)
        decision = attempt.in_force.engine.decide(facts)
        event = msgspec.structs.replace(
            attempt.event,
            link=facts.link.value,
            tier=facts.tier.value,
            facts_id=facts.facts_id,
            determined_by=decision.determined_by,
            body={"on_shift": facts.on_shift} | ({"decoy": True} if subject.is_decoy else {}),
        )
        attempt = replace(attempt, event=event)
        if isinstance(decision, Forbid) and _is_carried_out(decision, attempt):
            return await self._refuse(attempt, _forbidden(decision))
        bindings = _bindings(attempt.principal, purpose, attempt.situation.risk, attempt.in_force)
        over = await self._peek(attempt, bindings, subject.ref)
        if over is not None:
            return over
        return await self._show(attempt, subject, bindings, _showing(attempt, facts, decision))

    async def _peek(
        self, attempt: Attempt, bindings: tuple[Binding, ...], ref: str
    ) -> Refused | None:
        """Refuse before the fetch who was over budget a moment ago and still is.

        Everybody else is spared the read: admission decides, exactly.
        """
        keys = {binding.key for binding in bindings}
        if not attempt.enforces or all(self._spent_until.get(k, 0) <= attempt.at for k in keys):
            return None
        pairs = {(key, ref) for key in keys}
        state = await self._readers.read(lambda v: v.budget_state(keys, pairs, attempt.at))
        over = peek(state, bindings, ref, attempt.at)
        if over is None:
            return None
        left = statuses(state, bindings, attempt.at)
        refused = await self._refuse(attempt, over_budget(over.budgets))
        return replace(refused, budgets=left, exceeded=over.budgets, retry_at=over.retry_at)

    async def _show(
        self,
        attempt: Attempt,
        subject: SubjectRow,
        bindings: tuple[Binding, ...],
        showing: _Showing,
    ) -> Answer | Attempt:
        plan = attempt.in_force.plans.plan(showing.forms, attempt.request.fields)
        key = self._keyring.source_key(subject)
        event = msgspec.structs.replace(
            attempt.event,
            classes=plan.classes,
            n_fields=plan.n_fields,
            n_sensitive=plan.n_sensitive,
            walk=self._walk.step(attempt.principal.agent_key, key),
            would=showing.would,
        )
        attempt = replace(attempt, event=event)
        try:
            record = await self._fetch(subject, key, plan, attempt.request)
        except BaseException as error:
            # Also a cancelled caller and an error that nobody expected: what was asked of the
            # source is in the log.
            await asyncio.shield(self._fail(attempt, error))
            raise
        answer = await self._committer.admit(
            Admission(
                keys=attempt.principal.keys,
                risk=attempt.situation.risk,
                bindings=bindings,
                ref=subject.ref,
                entry=attempt.shown(),
                suspended=attempt.refused(SUSPENDED),
                exceeded=attempt.exceeded,
                is_enforced=attempt.enforces,
            )
        )
        match answer:
            case admission.Admitted():
                return self._served(attempt, plan, showing, (record, answer))
            case admission.Refused():
                self._remember_spent(bindings, answer.retry_at)
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
                return attempt

    async def _fetch(
        self, subject: SubjectRow, key: str, plan: MaskPlan, request: ViewRequest
    ) -> MaskedRecord:
        """Fetch what the plan shows and mask it at once; the raw record ends here."""
        source = self._sources.get(subject.source)
        if source is None:
            raise SourceError("this customer's source is not configured: check the mapping file")
        try:
            async with asyncio.timeout(self._deadline):
                raw = await source.fetch(key, plan.source_fields)
        except TimeoutError:
            raise SourceError("the record source did not answer in time, try again") from None
        if raw is None:
            raise NotFoundError("the customer's record is gone from its source")
        secret = self._keyring.derived(subject.tenant, "mask")
        scope = f"case:{request.case}" if request.case else f"purpose:{request.purpose}"
        return plan.apply(raw, MaskContext(key=secret, subject=subject.ref, scope=scope))

    def _served(
        self,
        attempt: Attempt,
        plan: MaskPlan,
        showing: _Showing,
        admitted: tuple[MaskedRecord, admission.Admitted],
    ) -> Served:
        record, answer = admitted
        catalogue = attempt.in_force.engine.bundle.catalogue.fields
        notes = tuple(
            FieldNote(
                path=path,
                cls=catalogue[path].cls,
                form=form,
                why=showing.explanations.get(catalogue[path].cls, ""),
            )
            for path, form in plan.shown.items()
        )
        return Served(
            record=record,
            fields=notes,
            mode=attempt.situation.mode,
            would="refused" if answer.over else showing.would,
            budgets=answer.statuses,
            receipt=answer.receipt,
            view_code=view_code(answer.receipt.entry_id),
        )

    async def _refuse(self, attempt: Attempt, refusal: Refusal) -> Refused:
        entry = attempt.refused(refusal)
        return refusal.answer(await self._committer.run(lambda tx: tx.record(entry)))

    async def _fail(self, attempt: Attempt, error: BaseException) -> None:
        """Record that a permitted view ended without being shown."""
        failed = attempt.failed(error)
        await self._committer.run(lambda tx: tx.record(failed))

    async def _intern(self, facts: Facts) -> None:
        """Keep facts that are new to this process, before an entry names them."""
        name = facts.facts_id
        if name not in self._interned:
            await self._committer.run(lambda tx: tx.rows.put_facts({name: facts.as_dict()}))
            self._interned.add(name)

    def _remember_spent(self, bindings: tuple[Binding, ...], until: Micros) -> None:
        if len(self._spent_until) >= MAX_SPENT:
            self._spent_until.clear()
        self._spent_until |= {binding.key: until for binding in bindings}


def _bindings(
    principal: Principal, purpose: Purpose, risk: Risk, in_force: InForce
) -> tuple[Binding, ...]:
    keys = {BudgetKey.AGENT: principal.agent_key}
    if principal.actor_key is not None:
        keys[BudgetKey.ACTOR] = principal.actor_key
    kind = principal.kind if principal.actor is None else ActorKind.AI
    budgets = in_force.engine.bundle.budgets
    return bind(budgets, keys=keys, kind=kind, purpose=purpose, risk=risk)


def _showing(attempt: Attempt, facts: Facts, decision: Decision) -> _Showing:
    """The forms to carry out: the decision's, or what the mode shows instead."""
    engine = attempt.in_force.engine
    if attempt.enforces and not isinstance(decision, Forbid):
        return _Showing(forms=decision.forms, explanations=decision.explanations, would="")
    would = "refused" if isinstance(decision, Forbid) else ""
    if attempt.situation.mode is Mode.OBSERVE:
        return _Showing(forms=engine.unmasked(), explanations={}, would=would or "masked")
    shown = engine.forms(facts)
    if isinstance(shown, Forbid):
        # A policy that cannot be evaluated shows nothing in any mode that masks.
        return _Showing(forms={}, explanations={}, would=would)
    return _Showing(forms=shown.forms, explanations=shown.explanations, would=would)


_NOBODY = ViewRequest(customer="", purpose="")


def _query(
    principal: Principal, purpose: Purpose | None, request: ViewRequest, at: Micros
) -> SituationQuery:
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


def _is_carried_out(decision: Forbid, attempt: Attempt) -> bool:
    """Whether a refusal by policy refuses, or is only recorded.

    The caller chooses the purpose, so a rule that lets one purpose pass must not open what the same
    people are refused otherwise. A policy that cannot be evaluated shows nothing in any mode.
    """
    weakest = Mode.ENFORCE in (attempt.situation.mode, attempt.situation.mode_elsewhere)
    return weakest or POLICY_ERROR in decision.determined_by


def _forbidden(decision: Forbid) -> Refusal:
    code = (
        RefusalCode.EXPLAINED_ONLY
        if EXPLAINED_ONLY in decision.determined_by
        else RefusalCode.POLICY
    )
    return Refusal(code=code, reasons=decision.reasons, determined_by=decision.determined_by)


def view_code(entry_id: str) -> str:
    """Eight characters of an entry's id in base 32, to stand on the screen: `K7QA-93DM`.

    40 bits: a photograph with the minute that it shows leads to one entry.
    """
    text = base64.b32encode(bytes.fromhex(entry_id)[-5:]).decode()
    return f"{text[:4]}-{text[4:]}"
