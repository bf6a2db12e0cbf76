"""From a principal, a request and what the store knows to the closed facts a policy decides on."""

from dataclasses import dataclass

from guard.clock import HOUR, Micros
from guard.principals import Principal
from guard.purposes.explanation import Ground, explain, explain_row
from guard.purposes.shifts import is_on_shift, is_routed
from guard.rows import GrantKind, Situation, SituationQuery
from policies.model import ActorKind, Facts, Purpose, Tier

# RFC 9470 calls it max_age: a second factor older than this has to be shown again.
MFA_FRESH: Micros = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller said that facts may rest on: the case it named and the reason it gave.

    `is_row`: one of many customers of a queue was asked for.
    """

    case: str | None
    reason: str | None
    is_row: bool = False


def situation_query(
    principal: Principal, purpose: Purpose | None, ref: str, case: str | None, at: Micros
) -> SituationQuery:
    """What to ask the store about one principal and one customer."""
    return SituationQuery(
        tenant=principal.tenant,
        agent_id=principal.id,
        actor_id=principal.actor,
        keys=principal.keys,
        vendor=principal.vendor,
        team=principal.team,
        purpose="" if purpose is None else purpose.value,
        ref=ref,
        case_id=case,
        at=at,
    )


def gather(
    principal: Principal, situation: Situation, purpose: Purpose, asked: Asked, at: Micros
) -> Facts:
    """Derive the facts of one request at `at`. Pure: the same arguments, the same facts."""
    subject = situation.subject
    return Facts(
        role=principal.role,
        desk=principal.desk,
        actor=principal.kind if principal.actor is None else ActorKind.AI,
        purpose=purpose,
        link=_ground(principal, situation, purpose, asked, at).link,
        tier=Tier.STANDARD if subject is None else subject.tier,
        tie=situation.tie,
        risk=situation.risk,
        on_shift=is_on_shift(principal.shift, at) or is_routed(situation.routed_at, at),
        same_tenant=subject is not None and subject.tenant == principal.tenant,
        same_region=subject is not None and subject.region == principal.region,
        fresh_mfa=principal.mfa_at is not None and at - principal.mfa_at <= MFA_FRESH,
        reason_given=bool(asked.reason and asked.reason.strip()),
        customer_present=any(g.kind is GrantKind.CUSTOMER_PRESENT for g in situation.grants),
    )


def bind_case(
    principal: Principal, situation: Situation, purpose: Purpose, asked: Asked, at: Micros
) -> str | None:
    """The case that goes into the entry: the one named, or the one the view was bound to."""
    if asked.case is not None:
        return asked.case
    return _ground(principal, situation, purpose, asked, at).case


def _ground(
    principal: Principal, situation: Situation, purpose: Purpose, asked: Asked, at: Micros
) -> Ground:
    people = _people(principal)
    if asked.is_row:
        return explain_row(situation, purpose, people, at)
    return explain(situation, purpose, people, asked.case, at)


def _people(principal: Principal) -> frozenset[str]:
    """The human who asks, and the AI agent that acts for them."""
    return frozenset({principal.id} if principal.actor is None else {principal.id, principal.actor})
