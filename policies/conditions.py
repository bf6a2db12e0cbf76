"""What a policy asks of the facts, for every combination of them at once.

A policy is taken apart at its `&&`, `||`, `!` and `if`; what is left are small conditions on one or
two facts. Each of those is put to Cedar itself, once for every value of the facts that it mentions,
so Cedar stays the only judge of what a condition means. The answers are joined again as a diagram
whose value is true, false, or None where Cedar could not evaluate the condition.

`&&` and `||` look at their right side only if the left one has not decided, as Cedar does: a
condition that fails behind a left side that decides does no harm.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import get_type_hints

import cedarpy
from cedarpy import pst

from policies.cedar_text import FIELD_CLASS, Policy, Question
from policies.diagrams import Diagrams, Node
from policies.errors import WideConditionError
from policies.facts import parse_facts, probes, put_request
from policies.model import Facts

# Who works where and for what comes first: differences are told by these three.
ORDER = ("role", "desk", "purpose")
_TYPES: Mapping[str, type] = get_type_hints(Facts)
NAMES: tuple[str, ...] = (*ORDER, *(name for name in _TYPES if name not in ORDER))
VALUES: Mapping[str, tuple[StrEnum | bool, ...]] = MappingProxyType(
    {n: tuple(k) if issubclass(k := _TYPES[n], StrEnum) else (False, True) for n in NAMES}
)
# A condition that compares more facts than this at once is refused: nobody could read it either.
MAX_ANSWERS = 50_000
_RESOURCE = "resource"
_NO_ENTITIES = cedarpy.Entities.from_json_str("[]")
_ANYBODY = probes()[0]


@dataclass(frozen=True, slots=True)
class Target:
    """What a policy is asked about: an act, or a class of fields."""

    question: Question
    id: str

    @property
    def resource(self) -> dict[str, str]:
        """The resource of the request, as cedarpy takes it."""
        kind = "Request" if self.question is Question.ADMIT else FIELD_CLASS
        return {"type": kind, "id": self.id}


def new_diagrams() -> Diagrams:
    """Diagrams over all facts, in the order of `NAMES`."""
    return Diagrams([len(VALUES[name]) for name in NAMES])


def point(facts: Facts) -> tuple[int, ...]:
    """The facts as answers to a diagram's questions."""
    return tuple(VALUES[name].index(getattr(facts, name)) for name in NAMES)


def facts_at(answers: tuple[int, ...]) -> Facts:
    """The facts that a diagram's answers stand for."""
    return parse_facts({n: VALUES[n][a] for n, a in zip(NAMES, answers, strict=True)})


def matches(diagrams: Diagrams, policy: Policy, target: Target) -> Node:
    """Whether a policy matches at a target: True, False, or None where it fails.

    Raises:
        WideConditionError: A condition compares too many facts at once.
    """
    parts = (condition(diagrams, each, target) for each in conditions(policy))
    found = diagrams.leaf(value=True)
    for part in parts:
        found = diagrams.apply(_and, found, part)
    return found


def conditions(policy: Policy) -> tuple[pst.Expr, ...]:
    """What must hold for a policy to match, one by one: the head, then `when` and `unless`."""
    found = [
        *_scope(pst.Var("principal"), policy.node.principal),
        *_scope(pst.Var("resource"), policy.node.resource),
    ]
    for clause in policy.node.clauses:
        is_when = isinstance(clause, pst.When)
        found += _both(clause.expr) if is_when else _neither(clause.expr)
    return tuple(found)


def mentioned(expr: pst.Expr) -> tuple[str, ...]:
    """The facts that a condition is about, in the order of `NAMES`.

    Raises:
        WideConditionError: It compares the whole context.
    """
    found = _mentioned(expr)
    return tuple(name for name in NAMES if name in found)


def condition(diagrams: Diagrams, expr: pst.Expr, target: Target) -> Node:
    """One condition as a diagram."""
    match expr:
        case pst.BinaryOp(op="and", left=left, right=right):
            sides = condition(diagrams, left, target), condition(diagrams, right, target)
            return diagrams.apply(_and, *sides)
        case pst.BinaryOp(op="or", left=left, right=right):
            sides = condition(diagrams, left, target), condition(diagrams, right, target)
            return diagrams.apply(_or, *sides)
        case pst.UnaryOp(op="not", arg=arg):
            return diagrams.apply(
                _unlike, condition(diagrams, arg, target), diagrams.leaf(value=True)
            )
        case pst.IfThenElse(cond=cond, then_expr=then, else_expr=other):
            asked = condition(diagrams, cond, target)
            chosen = diagrams.apply(_then, asked, condition(diagrams, then, target))
            return diagrams.apply(_else, chosen, condition(diagrams, other, target))
        case _:
            return _smallest(diagrams, expr, target)


def _smallest(diagrams: Diagrams, expr: pst.Expr, target: Target) -> Node:
    names = mentioned(expr)
    answers = iter(_answers(expr, names, target if _RESOURCE in _mentioned(expr) else None))
    return _spread(diagrams, names, answers)


def _spread(diagrams: Diagrams, names: tuple[str, ...], answers: Iterator[Hashable]) -> Node:
    """Answers, given for each combination of `names` in turn, as a diagram."""
    if not names:
        return diagrams.leaf(next(answers))
    parts = [_spread(diagrams, names[1:], answers) for _ in VALUES[names[0]]]
    return diagrams.choice(NAMES.index(names[0]), parts)


@lru_cache(4096)
def _answers(
    expr: pst.Expr, names: tuple[str, ...], target: Target | None
) -> tuple[bool | None, ...]:
    """What Cedar says of a condition, for each combination of the facts that it mentions."""
    count = 1
    for name in names:
        count *= len(VALUES[name])
    if count > MAX_ANSWERS:
        raise WideConditionError(f"it compares {', '.join(names)} at once: compare one by one")
    anything = pst.Template(
        id="one",
        effect="permit",
        principal=pst.ScopeAny(),
        action=pst.ScopeAny(),
        resource=pst.ScopeAny(),
        clauses=(pst.When(expr),),
        annotations={},
    )
    policy = cedarpy.PolicySet.from_pst(
        pst.PolicySet(templates={}, static_policies={"one": anything}, template_links=())
    )
    asked = target or Target(Question.ADMIT, "view")
    base = _ANYBODY.as_dict()
    requests = [
        put_request(
            parse_facts({**base, **dict(zip(names, values, strict=True))}),
            asked.question,
            asked.resource,
        )
        for values in product(*(VALUES[name] for name in names))
    ]
    results = cedarpy.is_authorized_batch(requests, policy, _NO_ENTITIES)
    return tuple(None if r.diagnostics.errors else r.allowed for r in results)


@lru_cache(4096)
def _mentioned(expr: pst.Expr) -> frozenset[str]:
    return frozenset(_mentions(expr))


def _mentions(expr: object) -> Iterator[str]:
    match expr:
        case pst.GetAttr(base=pst.Var(name="context"), attr=name):
            yield name
        case pst.HasAttr(base=pst.Var(name="context"), attrs=(name, *_)):
            yield name
        case pst.Var(name=name):
            yield _fact_of(name)
        case _:
            for part in _parts(expr):
                yield from _mentions(part)


def _fact_of(variable: str) -> str:
    """What a variable that stands by itself is about."""
    if variable == "context":
        raise WideConditionError("it compares the whole context: compare single facts")
    return "role" if variable == "principal" else variable


def _parts(expr: object) -> tuple[object, ...]:
    """What an expression is made of."""
    if isinstance(expr, tuple):
        return expr
    if isinstance(expr, Mapping):
        return tuple(expr.values())
    if not is_dataclass(expr):
        return ()
    return tuple(getattr(expr, field.name) for field in fields(expr))


def _scope(var: pst.Var, scope: pst.PrincipalOrResourceConstraint) -> list[pst.Expr]:
    """The head of a policy, written as a condition."""
    match scope:
        case pst.ScopeEq(entity=pst.EntityUid() as uid):
            return [pst.BinaryOp("eq", var, pst.EntityLit(uid))]
        case pst.ScopeIn(entity=pst.EntityUid() as uid):
            return [pst.BinaryOp("in", var, pst.EntityLit(uid))]
        case pst.ScopeIs(entity_type=kind):
            return [pst.Is(var, kind, None)]
        case pst.ScopeIsIn(entity_type=kind, entity=pst.EntityUid() as uid):
            return [pst.Is(var, kind, pst.EntityLit(uid))]
        case _:
            return []


def _both(expr: pst.Expr) -> list[pst.Expr]:
    if isinstance(expr, pst.BinaryOp) and expr.op == "and":
        return [*_both(expr.left), *_both(expr.right)]
    return [expr]


def _neither(expr: pst.Expr) -> list[pst.Expr]:
    if isinstance(expr, pst.BinaryOp) and expr.op == "or":
        return [*_neither(expr.left), *_neither(expr.right)]
    return [pst.UnaryOp("not", expr)]


def _and(left: Hashable, right: Hashable) -> Hashable:
    return right if left is True else left


def _or(left: Hashable, right: Hashable) -> Hashable:
    return right if left is False else left


def _unlike(left: Hashable, right: Hashable) -> Hashable:
    return None if left is None else left is not right


def _then(asked: Hashable, then: Hashable) -> Hashable:
    """The first half of an `if`: what was asked, with the value that true leads to."""
    return ("then", then) if asked is True else asked


def _else(chosen: Hashable, other: Hashable) -> Hashable:
    if chosen is None:
        return None
    return other if chosen is False else chosen[1]  # type: ignore[index] # made by `_then`
