"""From a principal, a request and what the store knows to the closed facts a policy decides on."""

from dataclasses import dataclass

from guard.clock import HOUR, Micros
from guard.principals import Principal
from guard.purposes.explanation import explain
from guard.purposes.shifts import is_on_shift
from guard.rows import GrantKind, Situation
from policies.model import ActorKind, Facts, Purpose, Tier

# RFC 9470 calls it max_age: a second factor older than this has to be shown again.
MFA_FRESH: Micros = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller said that facts may rest on: the case it named and the reason it gave."""

    case: str | None
    reason: str | None


def gather(
    principal: Principal, situation: Situation, purpose: Purpose, asked: Asked, at: Micros
) -> Facts:
    """Derive the facts of one request at `at`. Pure: the same arguments, the same facts."""
    people = frozenset(
        {principal.id} if principal.actor is None else {principal.id, principal.actor}
    )
    subject = situation.subject
    return Facts(
        role=principal.role,
        desk=principal.desk,
        actor=principal.kind if principal.actor is None else ActorKind.AI,
        purpose=purpose,
        link=explain(situation, purpose, people, asked.case, at),
        tier=Tier.STANDARD if subject is None else subject.tier,
        tie=situation.tie,
        risk=situation.risk,
        on_shift=is_on_shift(principal.shift, at),
        same_tenant=subject is not None and subject.tenant == principal.tenant,
        same_region=subject is not None and subject.region == principal.region,
        fresh_mfa=principal.mfa_at is not None and at - principal.mfa_at <= MFA_FRESH,
        reason_given=bool(asked.reason and asked.reason.strip()),
        customer_present=any(g.kind is GrantKind.CUSTOMER_PRESENT for g in situation.grants),
    )
