"""Decision diagrams: a function of several closed questions, held as one small shared graph.

Facts are closed, yet there are tens of millions of combinations of them. A diagram asks one
question after the other and shares every part that comes out equal, so that all combinations are
compared, counted and searched at once without visiting them. It is exact: nothing is sampled.

Nodes are numbers of one `Diagrams`; two functions are equal if and only if their numbers are.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

Node = int
Combine = Callable[[Hashable, Hashable], Hashable]


class Diagrams:
    """Makes and compares diagrams over questions with `sizes[level]` answers each."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """Fix the questions and their order: what is asked first is compared first."""
        self.sizes = tuple(sizes)
        self._levels: list[int] = []
        self._parts: list[tuple[Node, ...]] = []
        self._values: list[Hashable] = []
        self._known: dict[Hashable, Node] = {}
        self._combined: dict[tuple[Combine, Node, Node], Node] = {}
        self._counted: dict[Node, Mapping[Hashable, int]] = {}

    def leaf(self, value: Hashable) -> Node:
        """The function that is `value` whatever the answers are."""
        # The type belongs to the key: True and 1 are equal in Python and are not one leaf.
        return self._node(("leaf", type(value), value), len(self.sizes), (), value)

    def choice(self, level: int, parts: Sequence[Node]) -> Node:
        """The function that goes on with `parts[answer]` after the question `level`."""
        if len(set(parts)) == 1:
            return parts[0]
        return self._node((level, *parts), level, tuple(parts), None)

    def test(self, level: int, accepted: Collection[int]) -> Node:
        """True for the accepted answers of one question, false for the others."""
        size = self.sizes[level]
        return self.choice(level, [self.leaf(answer in accepted) for answer in range(size)])

    def apply(self, combine: Combine, left: Node, right: Node) -> Node:
        """The function whose values are `combine` of the values of two others."""
        key = (combine, left, right)
        found = self._combined.get(key)
        if found is None:
            level = min(self._levels[left], self._levels[right])
            if level == len(self.sizes):
                found = self.leaf(combine(self._values[left], self._values[right]))
            else:
                pairs = zip(self._after(left, level), self._after(right, level), strict=True)
                found = self.choice(level, [self.apply(combine, a, b) for a, b in pairs])
            self._combined[key] = found
        return found

    def fold(self, combine: Combine, first: Hashable, nodes: Sequence[Node]) -> Node:
        """Combine all of `nodes`, beginning with the value `first`."""
        found = self.leaf(first)
        for node in nodes:
            found = self.apply(combine, found, node)
        return found

    def at(self, node: Node, answers: Sequence[int]) -> Hashable:
        """The value for one combination of answers."""
        while self._parts[node]:
            node = self._parts[node][answers[self._levels[node]]]
        return self._values[node]

    def fix(self, node: Node, answers: Sequence[int]) -> Node:
        """The function that is left once the first questions have these answers."""
        for level, answer in enumerate(answers):
            if self._levels[node] == level:
                node = self._parts[node][answer]
        return node

    def count(self, node: Node, *, asked: int = 0) -> Mapping[Hashable, int]:
        """How many combinations lead to each value, once the first `asked` have their answer."""
        skipped = self._combinations(asked, self._levels[node])
        return {value: skipped * n for value, n in self._below(node).items()}

    def example(self, node: Node, wanted: Hashable, usual: Sequence[int]) -> tuple[int, ...]:
        """One combination that leads to `wanted`, as near to `usual` as the way there allows.

        Raises:
            LookupError: No combination does.
        """
        answers = list(usual)
        if wanted not in self._below(node):
            raise LookupError(wanted)
        while self._parts[node]:
            level, parts = self._levels[node], self._parts[node]
            likely = (usual[level], *range(len(parts)))
            answers[level] = next(a for a in likely if wanted in self._below(parts[a]))
            node = parts[answers[level]]
        return tuple(answers)

    def _node(self, key: Hashable, level: int, parts: tuple[Node, ...], value: Hashable) -> Node:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._levels)
            self._levels.append(level)
            self._parts.append(parts)
            self._values.append(value)
        return found

    def _after(self, node: Node, level: int) -> Sequence[Node]:
        """What each answer to `level` leads to; a node that does not ask it stays itself."""
        return self._parts[node] if self._levels[node] == level else (node,) * self.sizes[level]

    def _below(self, node: Node) -> Mapping[Hashable, int]:
        """How many combinations of the questions from this node on lead to each value."""
        found = self._counted.get(node)
        if found is None:
            counts: dict[Hashable, int] = {}
            for part in self._parts[node]:
                skipped = self._combinations(self._levels[node] + 1, self._levels[part])
                for value, n in self._below(part).items():
                    counts[value] = counts.get(value, 0) + skipped * n
            found = self._counted[node] = counts or {self._values[node]: 1}
        return found

    def _combinations(self, first: int, end: int) -> int:
        """How many answers the questions from `first` up to `end` have together."""
        product = 1
        for size in self.sizes[first:end]:
            product *= size
        return product
