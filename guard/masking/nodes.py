"""The tree that a plan walks: objects, lists and leaves, as the catalogue describes them.

Each node shows one raw value, or says that there is nothing to show (`ABSENT`). Nodes know the
catalogue's names only, so a key of the record that no field names is never read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from guard.masking.context import MaskContext
from guard.masking.graphemes import normal
from guard.masking.own_values import take_out
from guard.masking.registry import REDACTED, KeyedMask, Mask
from guard.masking.scalars import MAX_TEXT, Scalar, UnmaskableError, scalar
from policies.model import Form

# Items of one list that are shown; the rest is left out and counted as a fault.
MAX_ITEMS = 200


class _Absent:
    """The type of `ABSENT`."""


ABSENT: Final = _Absent()


@dataclass(slots=True)
class Walk:
    """What one walk over one record carries: the faults so far, and the record's own values.

    `own` is None when they could not be collected; free text is then redacted. Without `context`
    keyed masks refuse.
    """

    errors: int = 0
    context: MaskContext | None = None
    own: frozenset[str] | None = field(default_factory=frozenset)

    def redacted(self) -> str:
        """Count a fault and give the constant."""
        self.errors += 1
        return REDACTED


class Node(Protocol):
    """*Protocol* of a place in the record."""

    @property
    def is_constant(self) -> bool:
        """Whether every leaf below is redacted: then nothing of the record is looked at."""
        ...

    def show(self, value: object, walk: Walk) -> object:
        """The value as it may be seen, or `ABSENT`."""
        ...

    def fault(self, walk: Walk) -> object:
        """What stands here when the record has another shape than the catalogue."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One field. `mask` is what the form MASK shows, `keyed` what it shows where there is a key.

    `constant` is what the form REDACT shows.
    """

    form: Form
    mask: Mask
    is_prose: bool
    keyed: KeyedMask | None = None
    constant: Scalar = REDACTED

    @property
    def is_constant(self) -> bool:
        """See `Node.is_constant`."""
        return self.form is Form.REDACT

    def show(self, value: object, walk: Walk) -> object:
        """See `Node.show`."""
        if self.form is Form.REDACT:
            return self.constant
        if value is ABSENT or value is None:
            return value
        try:
            return self._shown(scalar(value), walk)
        except Exception:  # noqa: BLE001 - whatever a mask raises, the field is redacted and counted
            return walk.redacted()

    def _shown(self, value: Scalar, walk: Walk) -> Scalar:
        if self.form is Form.PLAIN:
            return value
        if self.is_prose and isinstance(value, str):
            if walk.own is None or len(value.encode()) > MAX_TEXT:
                raise UnmaskableError("the text cannot be searched for own values")
            value = take_out(normal(value), walk.own)
        if self.keyed is not None and walk.context is not None:
            return scalar(self.keyed(value, walk.context))
        return scalar(self.mask(value))

    def fault(self, walk: Walk) -> object:
        """See `Node.fault`."""
        return self.constant if self.is_constant else walk.redacted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """An object with the fields below it."""

    children: Mapping[str, Node]

    @property
    def is_constant(self) -> bool:
        """See `Node.is_constant`."""
        return all(child.is_constant for child in self.children.values())

    def show(self, value: object, walk: Walk) -> object:
        """See `Node.show`. Null shows as an object of nulls: a redacted leaf tells nothing."""
        is_absent = value is ABSENT
        other: object = ABSENT
        if value is None or value is ABSENT:
            value, other = {}, value
        if not isinstance(value, dict):
            return self.fault(walk)
        shown: dict[str, object] = {}
        for name, child in self.children.items():
            seen = child.show(value.get(name, other), walk)
            if seen is not ABSENT:
                shown[name] = seen
        return shown if shown or not is_absent else ABSENT

    def fault(self, walk: Walk) -> object:
        """See `Node.fault`."""
        return {name: child.fault(walk) for name, child in self.children.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list, every item of the same kind. If all below is redacted, so is the number of items."""

    item: Node

    @property
    def is_constant(self) -> bool:
        """See `Node.is_constant`."""
        return self.item.is_constant

    def show(self, value: object, walk: Walk) -> object:
        """See `Node.show`."""
        if self.is_constant:
            return REDACTED
        if value is ABSENT or value is None:
            return value
        if not isinstance(value, list | tuple):
            return self.fault(walk)
        walk.errors += len(value) > MAX_ITEMS
        shown = (self.item.show(inner, walk) for inner in value[:MAX_ITEMS])
        return [None if seen is ABSENT else seen for seen in shown]

    def fault(self, walk: Walk) -> object:
        """See `Node.fault`."""
        return REDACTED if self.is_constant else walk.redacted()


def build(leaves: Mapping[str, Leaf]) -> Branch:
    """Make the tree of dotted paths; `[]` behind a step is a list of what follows."""
    grouped: dict[str, dict[str, Leaf]] = {}
    for path, leaf in leaves.items():
        step, _, rest = path.partition(".")
        grouped.setdefault(step, {})[rest] = leaf
    children: dict[str, Node] = {}
    for step, below in grouped.items():
        inner: Node = below[""] if "" in below else build(below)
        children[step.removesuffix("[]")] = Items(item=inner) if step.endswith("[]") else inner
    return Branch(children=children)
