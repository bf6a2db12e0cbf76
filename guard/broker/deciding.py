"""Decide: whether a try goes on, by the caller's standing, its request and the policy.

What is refused here is refused before any budget is looked at and anything is fetched.
"""

from dataclasses import dataclass, replace

from guard.attempts import Attempt, Refusal
from guard.broker.advice import after_refusal
from guard.broker.charging import ListLimits
from guard.entries import BodyValue
from guard.quotas import Binding
from guard.rows import SubjectRow
from guard.views import RefusalCode
from policies.cedar_text import POLICY_ERROR
from policies.model import Decision, Facts, Forbid, Mode, Purpose

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
    """A try that the policy lets go on (or would not, in a mode that refuses nothing).

    `counted_as` is the customer's name in the budgets (`Keyring.counted_as`).
    """

    attempt: Attempt
    subject: SubjectRow
    counted_as: str
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


def judge(attempt: Attempt, facts: Facts) -> tuple[Attempt, Decision | Refusal]:
    """Let the policy decide, after a suspension and before everything else."""
    if attempt.situation.is_suspended:
        return attempt, SUSPENDED
    decision = attempt.in_force.engine.decide(facts, attempt.act)
    attempt = attempt.with_event(determined_by=decision.determined_by)
    if isinstance(decision, Forbid) and _is_carried_out(decision, attempt):
        return attempt, forbidden(attempt, facts, decision)
    return attempt, decision


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


def _is_carried_out(decision: Forbid, attempt: Attempt) -> bool:
    """Whether a refusal by policy refuses, or is only recorded.

    The caller chooses the purpose, so a rule that lets one purpose pass must not open what the same
    people are refused otherwise. A policy that cannot be evaluated shows nothing in any mode.
    """
    weakest = Mode.ENFORCE in (attempt.situation.mode, attempt.situation.mode_elsewhere)
    return weakest or POLICY_ERROR in decision.determined_by
