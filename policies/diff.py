"""What a change of policy would change: two bundles, the same facts, the decisions that differ.

The facts are given, usually all that a ledger has ever stored, so the answer is exhaustive for them
and says nothing of others. Only what a person would notice counts as a difference: permitted or
refused, the form of a class, an obligation. A renamed policy or a reworded sentence is none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.engine import Engine
from policies.model import Decision, Facts, Forbid, Permit


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One set of facts that is decided differently.

    `opens` lists what the later bundle shows or allows more of, `closes` what it does less of, as
    `admit`, a field class or `obligation:<token>`; both may be filled.
    """

    facts: Facts
    before: Decision
    after: Decision
    opens: tuple[str, ...]
    closes: tuple[str, ...]


def diff(before: Engine, after: Engine, facts: Iterable[Facts]) -> tuple[Change, ...]:
    """The changes among `facts`, in their order; facts that occur twice are compared once."""
    return tuple(change for one in dict.fromkeys(facts) for change in _compare(before, after, one))


def _compare(before: Engine, after: Engine, facts: Facts) -> Iterator[Change]:
    old, new = before.decide(facts), after.decide(facts)
    left, right = _levels(old), _levels(new)
    points = sorted(left.keys() | right.keys())
    opens = [point for point in points if right.get(point, 0) > left.get(point, 0)]
    closes = [point for point in points if right.get(point, 0) < left.get(point, 0)]
    if isinstance(old, Permit) and isinstance(new, Permit):
        # Less to do for the same view is an opening; beside a refusal there is nothing to compare.
        opens += [f"obligation:{t}" for t in old.obligations if t not in new.obligations]
        closes += [f"obligation:{t}" for t in new.obligations if t not in old.obligations]
    if opens or closes:
        yield Change(facts=facts, before=old, after=new, opens=tuple(opens), closes=tuple(closes))


def _levels(decision: Decision) -> dict[str, int]:
    """How open a decision is on each point; what is not named is at 0."""
    if isinstance(decision, Forbid):
        return {}
    return {"admit": 1, **{cls: int(form) for cls, form in decision.forms.items()}}
