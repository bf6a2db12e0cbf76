"""Why a request was decided as it was, and which policies were close to deciding otherwise.

The decision is the engine's own. Beside it each deciding policy speaks in its own words, and a
policy of which all conditions hold but one is named with what that one would have needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cedarpy import pst

from policies.atlas import Atlas
from policies.cedar_text import Policy, Question
from policies.conditions import NAMES, VALUES, Target, condition, conditions, mentioned, point
from policies.engine import Engine
from policies.model import Act, Decision, Facts, Forbid


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A policy that the decision rests on. `says` is permit, forbid, or the form of its classes."""

    id: str
    file: str
    line: int
    question: Question
    says: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A policy that would have spoken too, had one condition held: `missing` says which."""

    voice: Voice
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision, the policies that made it, and those that were close, in the bundle's order."""

    decision: Decision
    decided: tuple[Voice, ...]
    close: tuple[Near, ...]


def explain(engine: Engine, facts: Facts, act: Act, cls: str | None = None) -> Explanation:
    """Explain one request, or, given a field class, how that class looks in it."""
    decision = engine.decide(facts, act)
    atlas = Atlas(engine.bundle)
    targets = [Target(Question.ADMIT, act.value)]
    if cls is not None:
        targets.append(Target(Question.REVEAL if act is Act.REVEAL else Question.SHOW, cls))
    speak = [
        (policy, target)
        for target in targets
        for policy in atlas.policies(target.question)
        if policy.id in decision.determined_by
        and atlas.diagrams.at(atlas.matches(policy, target), point(facts)) is True
    ]
    said = {policy.id: policy for policy, _ in speak}
    if cls is None or isinstance(decision, Forbid):
        said = {p.id: p for p in engine.bundle.policies if p.id in decision.determined_by}
    return Explanation(
        decision=decision,
        decided=tuple(_voice(policy) for policy in said.values()),
        close=tuple(near for target in targets for near in _close(atlas, target, facts)),
    )


def _close(atlas: Atlas, target: Target, facts: Facts) -> Iterator[Near]:
    here = point(facts)
    for policy in atlas.policies(target.question):
        parts = [(e, condition(atlas.diagrams, e, target)) for e in conditions(policy)]
        failed = [part for part in parts if atlas.diagrams.at(part[1], here) is not True]
        # A condition on the act or the class alone cannot be met by this request.
        if len(failed) == 1 and mentioned(failed[0][0]):
            yield Near(voice=_voice(policy), missing=_missing(atlas, failed[0], facts))


def _missing(atlas: Atlas, failed: tuple[pst.Expr, int], facts: Facts) -> str:
    """What a condition would have needed, in words."""
    expr, node = failed
    names = mentioned(expr)
    values = facts.as_dict()
    if len(names) > 1:
        found = ", ".join(f"{name} = {_plain(values[name])}" for name in names)
        return f"it does not apply to {found} together"
    (name,) = names
    level, here = NAMES.index(name), point(facts)
    fitting = [
        _plain(value)
        for answer, value in enumerate(VALUES[name])
        if atlas.diagrams.at(node, (*here[:level], answer, *here[level + 1 :])) is True
    ]
    return (
        f"{name} would have to be {' or '.join(fitting) or 'another'}, it is {_plain(values[name])}"
    )


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _voice(policy: Policy) -> Voice:
    says = "permit" if policy.is_permit else "forbid"
    return Voice(
        id=policy.id,
        file=policy.file,
        line=policy.line,
        question=policy.question,
        says=says if policy.form is None else policy.form.name.lower(),
        reason=policy.reason,
    )
