"""Which cells of role, desk, purpose and field class a change of policy changes.

Where `policies.diff` compares two bundles on facts that somebody gives, this compares them on all:
every combination of the closed facts, exactly, through `policies.atlas`. A cell is a role at a desk
with a purpose; for each act and field class it says what it was, what it becomes, for how many
combinations of the other facts, with the most ordinary one of them as an example.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import cast

from policies.atlas import PERMITTED, REFUSED, Atlas
from policies.bundle import Bundle
from policies.conditions import ORDER, facts_at, new_diagrams, point
from policies.diagrams import Diagrams, Node
from policies.model import (
    Act,
    ActorKind,
    Desk,
    Facts,
    Form,
    Link,
    Purpose,
    Risk,
    Role,
    Tie,
    Tier,
)

# Acts whose answer shows fields; of the others only whether they are admitted.
SHOWING = (Act.VIEW, Act.REVEAL)
# What an example is near to: somebody on shift, with a case.
USUAL = Facts(
    role=Role.AGENT,
    desk=Desk.FRONT_LINE,
    actor=ActorKind.HUMAN,
    purpose=Purpose.SUPPORT_CASE,
    link=Link.OWNER,
    tier=Tier.STANDARD,
    tie=Tie.NONE,
    risk=Risk.NONE,
    on_shift=True,
    same_tenant=True,
    same_region=True,
    fresh_mfa=False,
    reason_given=False,
    customer_present=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One role, desk and purpose for which something changes.

    `what` is a field class, `admitted` or `obligation <token>`; `before` and `after` are a form,
    yes, no or refused; `facts` counts the combinations of the other facts that change so.
    """

    role: Role
    desk: Desk
    purpose: Purpose
    act: Act
    what: str
    before: str
    after: str
    facts: int
    example: Facts


def changed_cells(before: Bundle, after: Bundle) -> tuple[Cell, ...]:
    """All cells that the second bundle changes, by act and what changes.

    Raises:
        WideConditionError: A policy compares too many facts at once to be looked through.
    """
    diagrams = new_diagrams()
    left, right = Atlas(before, diagrams), Atlas(after, diagrams)
    found: list[Cell] = []
    for act in Act:
        old, new = _points(left, act, right), _points(right, act, left)
        for what in old:
            pairs = diagrams.apply(_pair, old[what], new[what])
            found += _cells(diagrams, pairs, act, what)
    return tuple(found)


def _points(atlas: Atlas, act: Act, other: Atlas) -> dict[str, Node]:
    """What can change about an act, as words, for all that either bundle knows of."""
    diagrams = atlas.diagrams
    admitted = diagrams.apply(_yes_or_no, atlas.admission(act), diagrams.leaf(PERMITTED))
    points = {"admitted": admitted}
    if act in SHOWING:
        shown = atlas.shown(act)
        # A class that a bundle does not have is hidden, where the act goes on at all.
        hidden = diagrams.apply(_hidden, admitted, admitted)
        classes = sorted({*atlas.bundle.classes, *other.bundle.classes})
        points = {
            cls: diagrams.apply(_form, shown[cls], shown[cls]) if cls in shown else hidden
            for cls in classes
        }
    tokens = atlas.obligations(act), other.obligations(act)
    never = diagrams.leaf(value=False)
    for token in sorted({*tokens[0], *tokens[1]}):
        carried = diagrams.apply(_yes_or_no, tokens[0].get(token, never), diagrams.leaf(value=True))
        points[f"obligation {token}"] = carried
    return points


def _cells(diagrams: Diagrams, pairs: Node, act: Act, what: str) -> Iterator[Cell]:
    usual = point(USUAL)
    sizes = diagrams.sizes[: len(ORDER)]
    for answers in product(*(range(size) for size in sizes)):
        rest = diagrams.fix(pairs, answers)
        counts = diagrams.count(rest, asked=len(ORDER))
        for pair, facts in counts.items():
            was, becomes = cast("tuple[str, str]", pair)
            if was == becomes:
                continue
            near = (*answers, *usual[len(ORDER) :])
            example = facts_at(diagrams.example(rest, pair, near))
            yield Cell(
                role=example.role,
                desk=example.desk,
                purpose=example.purpose,
                act=act,
                what=what,
                before=was,
                after=becomes,
                facts=facts,
                example=example,
            )


def _pair(left: Hashable, right: Hashable) -> Hashable:
    return left, right


def _yes_or_no(value: Hashable, wanted: Hashable) -> Hashable:
    return "yes" if value == wanted else "no"


def _form(value: Hashable, _same: Hashable) -> Hashable:
    return "refused" if not isinstance(value, int) or value == REFUSED else Form(value).name.lower()


def _hidden(admitted: Hashable, _same: Hashable) -> Hashable:
    return "hide" if admitted == "yes" else "refused"
