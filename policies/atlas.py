"""Everything that a bundle can decide, for every combination of facts at once.

The engine answers for one set of facts; an atlas holds the same answers for all of them, as
diagrams that can be compared, counted and searched exactly. It decides nothing for anybody: lint,
`diff` and the reference pages read it, and a property holds it against the engine.
"""

from collections.abc import Hashable, Sequence
from typing import cast

from policies.bundle import Bundle
from policies.cedar_text import Policy, Question
from policies.conditions import Target, matches, new_diagrams
from policies.diagrams import Diagrams, Node
from policies.model import Act, Form

# How a request ends, from weakest to strongest: the strongest of all policies' words holds.
SILENT, PERMITTED, FORBIDDEN, BROKEN = range(4)
# What a class looks like before any policy has spoken, and where one forbids it or fails; beside
# the forms the least of all policies' words holds.
UNSHOWN, HIDDEN, FAILED = 4, -1, -2
# How a class looks in a request that is refused.
REFUSED = -1


class Atlas:
    """The answers of one bundle; give two bundles the same diagrams to compare them."""

    def __init__(self, bundle: Bundle, diagrams: Diagrams | None = None) -> None:
        """Take a bundle; nothing is worked out before it is asked for."""
        self.bundle = bundle
        self.diagrams = new_diagrams() if diagrams is None else diagrams
        self._matches: dict[tuple[str, Target], Node] = {}

    def policies(self, question: Question) -> list[Policy]:
        """The policies that answer a question, in the bundle's order."""
        return [policy for policy in self.bundle.policies if policy.question is question]

    def targets(self, question: Question) -> list[Target]:
        """What a question is asked about."""
        ids: Sequence[str] = tuple(Act) if question is Question.ADMIT else self.bundle.classes
        return [Target(question, name) for name in ids]

    def matches(self, policy: Policy, target: Target) -> Node:
        """Where a policy matches (see `policies.conditions.matches`)."""
        key = (policy.id, target)
        found = self._matches.get(key)
        if found is None:
            found = self._matches[key] = matches(self.diagrams, policy, target)
        return found

    def admission(self, act: Act) -> Node:
        """How a request for an act ends: `PERMITTED`, or why not."""
        target = Target(Question.ADMIT, act.value)
        words = [self.word(policy, target) for policy in self.policies(Question.ADMIT)]
        return self.diagrams.fold(strongest, SILENT, words)

    def look(self, target: Target) -> Node:
        """What the policies say of a class: a form, `UNSHOWN`, `HIDDEN` or `FAILED`."""
        words = [self.word(policy, target) for policy in self.policies(target.question)]
        return self.diagrams.fold(least, UNSHOWN, words)

    def word(self, policy: Policy, target: Target) -> Node:
        """What one policy says at a target, in the values of `admission` or `look`."""
        found = self.matches(policy, target)
        if policy.question is Question.ADMIT:
            said = PERMITTED if policy.is_permit else FORBIDDEN
            return self.diagrams.apply(_admitting, found, self.diagrams.leaf(said))
        form = HIDDEN if policy.form is None else int(policy.form)
        return self.diagrams.apply(_showing, found, self.diagrams.leaf(form))

    def shown(self, act: Act) -> dict[str, Node]:
        """How each class looks in a request for an act: a form, or `REFUSED`."""
        question = Question.REVEAL if act is Act.REVEAL else Question.SHOW
        looks = {target.id: self.look(target) for target in self.targets(question)}
        # One class that cannot be decided refuses the request, and with it every class.
        admitted = self.admission(act)
        for look in looks.values():
            admitted = self.diagrams.apply(_spoilt, admitted, look)
        return {cls: self.diagrams.apply(_carried, admitted, look) for cls, look in looks.items()}

    def obligations(self, act: Act) -> dict[str, Node]:
        """Where a request for an act carries each obligation along."""
        question = Question.REVEAL if act is Act.REVEAL else Question.SHOW
        found: dict[str, Node] = {}
        admitted = self.diagrams.apply(_is, self.admission(act), self.diagrams.leaf(PERMITTED))
        for policy in self.bundle.policies:
            for token in policy.obligations if policy.is_permit else ():
                for where in self._decides(policy, act, question):
                    both = self.diagrams.apply(_and, admitted, where)
                    none = self.diagrams.leaf(value=False)
                    found[token] = self.diagrams.apply(_or, found.get(token, none), both)
        return found

    def _decides(self, policy: Policy, act: Act, question: Question) -> list[Node]:
        """Where a permit is among those that the decision rests on."""
        if policy.question is Question.ADMIT:
            return [self.matches(policy, Target(Question.ADMIT, act.value))]
        if policy.question is not question:
            return []
        return [
            self.diagrams.apply(_same_form, self.word(policy, target), self.look(target))
            for target in self.targets(question)
        ]


def strongest(left: Hashable, right: Hashable) -> Hashable:
    """The word that holds of two about a request."""
    return max(cast("int", left), cast("int", right))


def least(left: Hashable, right: Hashable) -> Hashable:
    """The word that holds of two about a class: the most protective."""
    return min(cast("int", left), cast("int", right))


def _admitting(found: Hashable, said: Hashable) -> Hashable:
    return BROKEN if found is None else said if found is True else SILENT


def _showing(found: Hashable, said: Hashable) -> Hashable:
    return FAILED if found is None else said if found is True else UNSHOWN


def _spoilt(admitted: Hashable, look: Hashable) -> Hashable:
    return BROKEN if look == FAILED else admitted


def _carried(admitted: Hashable, look: Hashable) -> Hashable:
    if admitted != PERMITTED:
        return REFUSED
    return int(Form.HIDE) if look in (UNSHOWN, HIDDEN) else look


def _is(left: Hashable, right: Hashable) -> Hashable:
    return left == right


def _and(left: Hashable, right: Hashable) -> Hashable:
    return left is True and right is True


def _or(left: Hashable, right: Hashable) -> Hashable:
    return left is True or right is True


def _same_form(word: Hashable, look: Hashable) -> Hashable:
    return word == look and word != UNSHOWN
