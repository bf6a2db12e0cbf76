"""The one path that every act goes, step by step; each step is a module of its own.

| step | module |
| --- | --- |
| gather what is known, as facts | `gathering` |
| decide by the policy | `deciding` |
| which budgets bind; is one spent | `charging`, `admitting` |
| fetch what will show | `fetching` |
| forms, masks, and why a field looks so | `showing`, `advice` |
| charge and append in one transaction | `admitting` |
| record a refusal or a failure | `recording` |

An act's own module says what it fetches and what it makes of it; the order of the steps, and what
could be forgotten, is here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from guard.admission import Admitted
from guard.attempts import Attempt, Refusal
from guard.broker.admitting import Admitting
from guard.broker.charging import bindings_of, list_limits
from guard.broker.deciding import (
    SUSPENDED,
    UNKNOWN_CUSTOMER,
    UNKNOWN_PURPOSE,
    Decided,
    judge,
)
from guard.broker.fetching import Fetching, accounting
from guard.broker.gathering import Gathering, bound, facts_of, purpose_of
from guard.broker.parts import Parts
from guard.broker.recording import Recording
from guard.broker.showing import Noting, Showing, mask_context, view_code, within
from guard.errors import StoreUnavailableError
from guard.principals import Principal
from guard.purposes.walk import Walk
from guard.source_reads import noting
from guard.views import Refused, Served, ViewRequest
from policies.model import Act, Decision, Facts

T = TypeVar("T")

# A risk that rises between decision and admission makes the broker decide again; more often than
# this is no coincidence.
MAX_TRIES = 3


class OnePath:
    """What all acts share: the steps, and their order. One per broker."""

    def __init__(self, parts: Parts) -> None:
        """Go by these parts."""
        self.parts = parts
        self.gathering = Gathering(parts)
        self.recording = Recording(parts.committer)
        self.admitting = Admitting(parts, self.recording)
        self.fetching = Fetching(parts, self.recording)
        self.noting = Noting()
        self._walk = Walk()

    async def settled(self, once: Callable[[], Awaitable[T | Attempt]]) -> T:
        """Try until the caller's standing has held still from the decision to the admission.

        Raises:
            StoreUnavailableError: It did not; that is an entry too.
        """
        with noting():  # all tries are one act: its one entry accounts for what each has read
            for _ in range(MAX_TRIES - 1):
                answer = await once()
                if not isinstance(answer, Attempt):
                    return answer
            answer = await once()
            if isinstance(answer, Attempt):
                error = StoreUnavailableError("the caller's standing keeps changing, try again")
                await self.recording.fail(answer, error)
                raise error
            return answer

    async def decide(
        self, principal: Principal, act: Act, request: ViewRequest
    ) -> Decided | Refused:
        """Steps 2 to 4 for an act on one customer: facts, decision, a look at the budgets."""
        attempt = accounting(await self.gathering.attempted(principal, act, request))
        purpose, subject = purpose_of(request), attempt.situation.subject
        if purpose is None or subject is None:
            if attempt.situation.is_suspended:
                return await self.recording.refuse(attempt, SUSPENDED)
            known = UNKNOWN_PURPOSE if purpose is None else UNKNOWN_CUSTOMER
            return await self.recording.refuse(attempt, known)
        facts = facts_of(attempt, attempt.situation, purpose)
        body = {"decoy": True} if subject.is_decoy else {}
        attempt = bound(attempt, purpose).with_body(**body)
        attempt = await self.gathering.with_facts(attempt, facts)
        decided = await self.judge(attempt, facts)
        if isinstance(decided, Refused):
            return decided
        attempt, decision = decided
        limits = list_limits(attempt.situation, principal)
        risk, in_force = attempt.situation.risk, attempt.in_force
        counted = self.parts.keyring.counted_as(subject)
        bindings = bindings_of(principal, purpose, risk, in_force, act, counted)
        bindings += limits.bindings
        over = await self.admitting.peek(attempt, bindings, counted)
        if over is not None:
            return over
        return Decided(
            attempt=attempt,
            subject=subject,
            counted_as=counted,
            facts=facts,
            decision=decision,
            limits=limits,
            bindings=bindings,
        )

    async def judge(self, attempt: Attempt, facts: Facts) -> tuple[Attempt, Decision] | Refused:
        """Step 3: let the policy decide; what it refuses is recorded."""
        attempt, decision = judge(attempt, facts)
        if isinstance(decision, Refusal):
            return await self.recording.refuse(attempt, decision)
        return attempt, decision

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
        context = mask_context(self.parts.keyring, attempt, decided.subject)
        record, attempt = await self.fetching.fetched(
            decided, plan.source_fields, lambda raw: plan.apply(raw, context)
        )
        answer = await self.admitting.admit(attempt, decided.bindings, decided.counted_as)
        if not isinstance(answer, Admitted):
            return answer
        return Served(
            record=record,
            fields=self.noting.notes(decided, showing, plan.shown, plan.synthetic),
            mode=attempt.situation.mode,
            would="refused" if answer.over else showing.would,
            budgets=answer.statuses,
            receipt=answer.receipt,
            view_code=view_code(answer.receipt.entry_id),
        )
