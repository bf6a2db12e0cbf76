"""What somebody can do about a refusal or a covered field.

Nothing here is a table of answers: each step (naming the case, giving a reason, a code from the
customer) is tried on the policy itself, with the facts as they would be after it, and offered if it
would help. So no step is offered that leads nowhere, and a policy that changes changes the advice.
What is told is about the caller's own standing and the policy, never about others or a limit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from guard.in_force import InForce
from guard.views import NextStep
from policies.model import Act, Facts, Forbid, Form, Link, Purpose

# More would be a manual: the first ones cost least.
MAX_STEPS = 3

# What explains a view for each purpose, and what brings that about.
_EXPLAINED: Mapping[Purpose, tuple[Link, NextStep]] = MappingProxyType(
    {
        Purpose.SUPPORT_CASE: (Link.OWNER, NextStep.NAME_CASE),
        Purpose.AI_SESSION: (Link.OWNER, NextStep.NAME_CASE),
        Purpose.QUALITY_REVIEW: (Link.QA, NextStep.NAME_CASE),
        Purpose.FRAUD_REVIEW: (Link.QUEUE, NextStep.NAME_CASE),
        Purpose.ONBOARDING: (Link.QUEUE, NextStep.NAME_CASE),
        Purpose.OUTREACH: (Link.CAMPAIGN, NextStep.EXTEND_LIST),
        Purpose.BREAK_GLASS: (Link.BREAK_GLASS, NextStep.BREAK_GLASS),
    }
)


def after_refusal(in_force: InForce, facts: Facts, act: Act) -> tuple[NextStep, ...]:
    """Steps that would have turned a refusal by the policy; the second line is always one."""
    engine = in_force.engine
    helps = [
        step for step, later in _efforts(facts) if not isinstance(engine.decide(later, act), Forbid)
    ]
    if act is Act.LIST and not isinstance(engine.decide(facts, Act.VIEW), Forbid):
        helps.insert(0, NextStep.VIEW)
    if facts.link is Link.CLAIMED and NextStep.NAME_CASE in helps:
        # What is missing is no case but a check of who writes.
        helps[helps.index(NextStep.NAME_CASE)] = NextStep.VERIFY
    return (*_few(helps), NextStep.ASK_SECOND_LINE)


_Name: TypeAlias = tuple[str, Facts, Act, tuple[tuple[str, Form], ...]]


class FieldAdvice:
    """What to do about the covered fields of a view; worked out once for each policy and facts."""

    # Facts are closed, so there are few; the bound is for a caller who tries to make many.
    LIMIT = 2_048

    def __init__(self) -> None:
        """Start without any."""
        self._known: dict[_Name, Mapping[str, tuple[NextStep, ...]]] = {}

    def of(
        self, in_force: InForce, facts: Facts, act: Act, forms: Mapping[str, Form]
    ) -> Mapping[str, tuple[NextStep, ...]]:
        """Steps for every path of the catalogue whose class is decided to be covered."""
        name = (in_force.engine.bundle.digest, facts, act, tuple(sorted(forms.items())))
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            found = self._known[name] = _of_fields(in_force, facts, act, forms)
        return found


def _of_fields(
    in_force: InForce, facts: Facts, act: Act, forms: Mapping[str, Form]
) -> Mapping[str, tuple[NextStep, ...]]:
    engine = in_force.engine
    chances = [(step, engine.decide(later, one)) for step, one, later in _chances(facts, act)]
    may = {one: not isinstance(engine.decide(facts, one), Forbid) for one in Act}
    advice = {}
    for path, rule in in_force.engine.bundle.catalogue.fields.items():
        form = forms.get(rule.cls, Form.HIDE)
        if form is Form.PLAIN:
            continue
        steps = [
            step
            for step, decision in chances
            if not isinstance(decision, Forbid) and decision.forms.get(rule.cls, form) > form
        ]
        if act is not Act.LIST and rule.verify and may[Act.VERIFY]:
            steps.insert(0, NextStep.VERIFY)
        if act is not Act.LIST and rule.contact is not None and may[Act.CONTACT]:
            steps.insert(0, NextStep.CONTACT)
        advice[path] = tuple(_few(steps)) or (NextStep.ASK_SECOND_LINE,)
    return MappingProxyType(advice)


def _chances(facts: Facts, act: Act) -> Iterator[tuple[NextStep, Act, Facts]]:
    """Acts, and things to do before them, that may show more of a field than `act` does."""
    reasoned = replace(facts, reason_given=True)
    if act is Act.LIST:
        yield NextStep.VIEW, Act.VIEW, facts
    if act is not Act.REVEAL:
        yield NextStep.REVEAL, Act.REVEAL, reasoned
    for step, later in _efforts(facts):
        yield step, act, later
    if act is not Act.REVEAL:
        present = replace(reasoned, customer_present=True)
        yield NextStep.CUSTOMER_CODE, Act.REVEAL, present


def _few(steps: list[NextStep]) -> list[NextStep]:
    """The first few; the glass is broken only where nothing else helps."""
    distinct = list(dict.fromkeys(steps))
    gentle: list[NextStep] = [s for s in distinct if s is not NextStep.BREAK_GLASS]
    return gentle[:MAX_STEPS] or distinct


def _efforts(facts: Facts) -> Iterator[tuple[NextStep, Facts]]:
    """Each single thing that somebody could still do, with the facts as they would then be."""
    if not facts.reason_given:
        yield NextStep.GIVE_REASON, replace(facts, reason_given=True)
    link, step = _EXPLAINED.get(facts.purpose, (facts.link, NextStep.ASK_SECOND_LINE))
    if facts.link is not link:
        yield step, replace(facts, link=link)
    if not facts.fresh_mfa:
        yield NextStep.STEP_UP, replace(facts, fresh_mfa=True)
    if not facts.customer_present:
        yield NextStep.CUSTOMER_CODE, replace(facts, customer_present=True)
    if not facts.on_shift:
        yield NextStep.WAIT, replace(facts, on_shift=True)
    if not facts.same_region:
        yield NextStep.HAND_OVER, replace(facts, same_region=True)
    if facts.purpose is not Purpose.BREAK_GLASS:
        later = replace(
            facts, purpose=Purpose.BREAK_GLASS, link=Link.BREAK_GLASS, reason_given=True
        )
        yield NextStep.BREAK_GLASS, later
