"""Gather: what the store knows of the caller and the customer, as facts that a policy decides on.

Facts are stored for every request whose purpose and customer are known, refused or not, so that
whatever a policy could decide can be decided again.
"""

from dataclasses import replace

import msgspec

from guard.attempts import KINDS, Attempt
from guard.broker.parts import Parts
from guard.clock import Micros
from guard.entries import event_by
from guard.facts import Asked, bind_case, gather, situation_query
from guard.principals import Principal
from guard.rows import Situation, SituationQuery
from guard.views import ViewRequest
from policies.model import Act, Facts, Purpose


class Gathering:
    """Reads situations and keeps facts. One per broker."""

    def __init__(self, parts: Parts) -> None:
        """Read and keep by these parts."""
        self._parts = parts
        # Facts are closed enums and booleans: there are few, so the set stays small.
        self._interned: set[str] = set()

    async def attempted(self, principal: Principal, act: Act, request: ViewRequest) -> Attempt:
        """Read what the store knows about the caller, the customer and what binds them."""
        purpose = purpose_of(request)
        at = self._parts.clock.now()
        asked = replace(query(principal, request, at), is_row=act is Act.LIST)
        situation = await self._parts.readers.situation(asked)
        in_force = self._parts.policies.of(principal.tenant)
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

    async def with_facts(self, attempt: Attempt, facts: Facts) -> Attempt:
        """Name the facts in whatever entry the try ends in, and keep them for a replay."""
        name = facts.facts_id
        if name not in self._interned:
            await self._parts.committer.run(lambda tx: tx.rows.put_facts({name: facts.as_dict()}))
            self._interned.add(name)
        return attempt.with_body(on_shift=facts.on_shift).with_event(
            link=facts.link.value, tier=facts.tier.value, facts_id=name
        )


def purpose_of(request: ViewRequest) -> Purpose | None:
    """The purpose by its name; None: there is no such purpose."""
    return Purpose(request.purpose) if request.purpose in set(Purpose) else None


def bound(attempt: Attempt, purpose: Purpose) -> Attempt:
    """The try, bound to the case that explains it if it named none."""
    asked = Asked(case=attempt.request.case, reason=None, is_row=attempt.act is Act.LIST)
    case = bind_case(attempt.principal, attempt.situation, purpose, asked, attempt.at)
    return replace(attempt, bound=case)


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
    return situation_query(principal, purpose_of(request), request.customer, request.case, at)
