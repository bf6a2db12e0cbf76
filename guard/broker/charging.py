"""Which budgets bind an act, what a work list adds to them, and what of them the caller is told.

A caller sees its own budgets. That of a customer (how often a verification was tried on them, by
whoever) refuses like any other and is never shown: its state would tell what others do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guard.attempts import Refusal, over_budget
from guard.clock import Micros
from guard.entries import Receipt
from guard.in_force import InForce
from guard.principals import Principal
from guard.purposes.work_lists import pace_binding
from guard.quotas import Binding, BudgetStatus, bind
from guard.rows import Situation
from guard.views import NextStep, RefusalCode, Refused
from policies.model import Act, ActorKind, BudgetKey, Purpose, Risk

SPENT_BY_OTHERS = Refusal(
    code=RefusalCode.QUOTA,
    reasons=("no more of this can be tried for now: ask the second line",),
    determined_by=(),
    next=(NextStep.ASK_SECOND_LINE, NextStep.WAIT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLimits:
    """What the work list behind an act adds: the only fields it shows (None: any), its pace."""

    fields: tuple[str, ...] | None = None
    bindings: tuple[Binding, ...] = ()


def list_limits(situation: Situation, principal: Principal) -> ListLimits:
    """What `situation.work_list` limits beside the policy, whatever the act: the one place.

    The pace counts customers, so one that is listed, viewed and called within the hour counts once.
    """
    row = situation.work_list
    if row is None:
        return ListLimits()
    pace = pace_binding(row, principal.agent_key)
    return ListLimits(fields=row.fields, bindings=() if pace is None else (pace,))


def bindings_of(
    principal: Principal,
    purpose: Purpose,
    risk: Risk,
    in_force: InForce,
    act: Act = Act.VIEW,
    counted_as: str | None = None,
) -> tuple[Binding, ...]:
    """The bundle's budgets for an act; with those of the customer, by the name it is counted by."""
    keys = {BudgetKey.AGENT: principal.agent_key}
    if principal.actor_key is not None:
        keys[BudgetKey.ACTOR] = principal.actor_key
    if counted_as is not None:
        keys[BudgetKey.CUSTOMER] = f"customer:{principal.tenant}/{counted_as}"
    kind = principal.kind if principal.actor is None else ActorKind.AI
    budgets = in_force.engine.bundle.budgets
    return bind(budgets, keys=keys, kind=kind, purpose=purpose, risk=risk, act=act)


def own_statuses(
    bindings: Sequence[Binding], found: Sequence[BudgetStatus]
) -> tuple[BudgetStatus, ...]:
    """Those of the states (one for each binding, in order) that the caller may see."""
    pairs = zip(bindings, found, strict=True)
    return tuple(status for binding, status in pairs if _is_own(binding))


def refused_by_budget(
    bindings: Sequence[Binding],
    found: Sequence[BudgetStatus],
    exceeded: Sequence[str],
    receipt: Receipt,
) -> Refused:
    """The answer to spent budgets, in terms of the caller's own alone."""
    own = own_statuses(bindings, found)
    names = tuple(status.name for status in own if status.name in exceeded)
    refusal = over_budget(names) if names else SPENT_BY_OTHERS
    return replace(
        refusal.answer(receipt),
        budgets=own,
        exceeded=names,
        retry_at=_retry_at(own, names),
    )


def _retry_at(own: Sequence[BudgetStatus], names: Sequence[str]) -> Micros | None:
    return max((status.resets_at for status in own if status.name in names), default=None)


def _is_own(binding: Binding) -> bool:
    return binding.budget.key is not BudgetKey.CUSTOMER
