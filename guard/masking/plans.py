"""Compiled masks: which fields to fetch, how each is shown, and the walk that does it.

A plan is made once for a set of decided forms and asked paths, and then applied to many records.
The walk follows the catalogue's tree, never the record's: a key that the catalogue does not know
is not even looked at, at any depth. Whatever does not fit is redacted and counted:

* an exception in a transform, an unknown transform, a value of the wrong type;
* a list where an object should be, or the other way round.

What a form below MASK hides does not depend on the record at all: a hidden field is absent and a
redacted one is the constant, null or not, there or not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from guard.masking.context import MaskContext
from guard.masking.nodes import Leaf, Node, Walk, build
from guard.masking.own_values import own_values
from guard.masking.record import _MAKER, MaskedRecord
from guard.masking.registry import REDACTED, KeyedMask, Mask, Transform
from guard.masking.scalars import Scalar, UnmaskableError
from guard.masking.transforms import REGISTRY
from guard.rows import RawRecord
from policies.catalogue import Catalogue, FieldRule, TransformSpec
from policies.model import Form

# A path is written by a policy author; a deeper one is withheld like an unknown one.
MAX_DEPTH = 8

# Plans of one bundle that are kept: forms times sets of asked paths. Callers choose the paths, so
# the number is bounded.
MAX_PLANS = 1_024

_PATH = re.compile(r"[^.\[\]]+(?:\[\])?(?:\.[^.\[\]]+(?:\[\])?)*")

_REDACT = REGISTRY.find("redact").make({"text": REDACTED})

PlanKey: TypeAlias = tuple[tuple[tuple[str, int], ...], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskPlan:
    """How to show one kind of request one kind of record.

    Attributes:
        source_fields: Top-level fields to fetch. Nothing is fetched for HIDE and REDACT, except
            that free text shown masked needs the record's own values to be taken out of it.
        shown: The form of each path in the answer (REDACT, MASK or PLAIN), in catalogue order.
        hidden: Paths asked for and withheld by policy.
        classes: Each shown field class and the most open form it took, as a lower-case name.
        n_fields: Number of fields shown masked or plain.
        n_sensitive: Those of them that are sensitive.
        unknown: Paths asked for that the catalogue does not have.
        synthetic: Shown paths whose values are invented; whoever passes them on should say so.
    """

    source_fields: frozenset[str]
    shown: Mapping[str, Form]
    hidden: tuple[str, ...]
    classes: dict[str, str]
    n_fields: int
    n_sensitive: int
    unknown: tuple[str, ...]
    synthetic: frozenset[str]
    _root: Node
    _faults: int
    _has_prose: bool
    _open_paths: frozenset[str]

    def apply(self, raw: RawRecord, context: MaskContext | None = None) -> MaskedRecord:
        """Mask one record. Total: it gives a record for any input and never raises.

        Without `context`, a field whose mask needs a key is redacted and counted.
        """
        values = raw.values if isinstance(raw.values, dict) else dict(raw.values)
        walk = Walk(errors=self._faults, context=context)
        if self._has_prose:
            try:
                walk.own = own_values(values, self._open_paths)
            except Exception:  # noqa: BLE001 - without all own values, free text is redacted and counted
                walk.own = None
        shown = self._root.show(values, walk)
        return MaskedRecord(_MAKER, shown if isinstance(shown, dict) else {}, walk.errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """A catalogue field with its mask made and its form settled.

    `is_faulty`: it should be masked, but its mask cannot be made; it is redacted and counted.
    """

    rule: FieldRule
    form: Form
    mask: Mask
    is_prose: bool
    keyed: KeyedMask | None = None
    constant: Scalar = REDACTED
    is_synthetic: bool = False
    is_faulty: bool = False

    @property
    def top(self) -> str:
        return self.rule.path.partition(".")[0].removesuffix("[]")

    @property
    def leaf(self) -> Leaf:
        return Leaf(
            form=self.form,
            mask=self.mask,
            is_prose=self.is_prose,
            keyed=self.keyed,
            constant=self.constant,
        )


def compile_plan(
    catalogue: Catalogue, forms: Mapping[str, Form], paths: tuple[str, ...] | None
) -> MaskPlan:
    """Settle every field of a request.

    Args:
        catalogue: All fields there are.
        forms: The decided form of each field class; a class that is not there is hidden.
        paths: The fields asked for, None for all. The name of an object or list (`address`,
            `cards[]`) asks for all fields below it.
    """
    misfits = _misfits(catalogue)
    rules = (rule for path, rule in catalogue.fields.items() if path not in misfits)
    known = [_settle(rule, forms) for rule in rules]
    asked, unknown = _asked(known, paths)
    shown = [f for f in asked if f.form > Form.HIDE]
    seen = [f for f in shown if f.form > Form.REDACT]
    has_prose = any(f.is_prose and f.form is Form.MASK for f in seen)
    fetched = {f.top for f in seen}
    if has_prose:
        fetched |= {f.top for f in known if f.form < Form.PLAIN and not f.is_prose}
    return MaskPlan(
        source_fields=frozenset(fetched),
        shown=MappingProxyType({f.rule.path: f.form for f in shown}),
        hidden=tuple(f.rule.path for f in asked if f.form is Form.HIDE),
        classes=_classes(shown),
        n_fields=len(seen),
        n_sensitive=sum(f.rule.is_sensitive for f in seen),
        unknown=unknown,
        synthetic=frozenset(f.rule.path for f in shown if f.is_synthetic),
        _root=build({f.rule.path: f.leaf for f in shown}),
        _faults=sum(f.is_faulty for f in shown),
        _has_prose=has_prose,
        _open_paths=frozenset(
            f.rule.path for f in known if f.form is Form.PLAIN or (f.is_prose and f in seen)
        ),
    )


def plan_key(forms: Mapping[str, Form], paths: tuple[str, ...] | None) -> PlanKey:
    """What a plan depends on beside its catalogue, hashable; the order of either does not count."""
    asked = None if paths is None else tuple(sorted(set(paths)))
    return tuple(sorted((cls, int(form)) for cls, form in forms.items())), asked


class MaskPlans:
    """The plans of one catalogue, each made once. A new bundle gets a new `MaskPlans`."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Serve plans over `catalogue`."""

        def compiled(key: PlanKey) -> MaskPlan:
            forms, asked = key
            return compile_plan(catalogue, {cls: Form(form) for cls, form in forms}, asked)

        self._compiled = lru_cache(maxsize=MAX_PLANS)(compiled)

    def plan(self, forms: Mapping[str, Form], paths: tuple[str, ...] | None) -> MaskPlan:
        """As `compile_plan`, remembered."""
        return self._compiled(plan_key(forms, paths))


def catalogue_faults(catalogue: Catalogue) -> tuple[str, ...]:
    """Say what in a catalogue masking cannot do; a service should not start with any.

    Plans are safe without this check: a field at fault is redacted. It is for the operator, who
    should hear of it at the start and not from a desk.
    """
    faults: list[str] = []
    misfits = _misfits(catalogue)
    for path, rule in catalogue.fields.items():
        if path in misfits:
            faults.append(f"field `{path}` cannot be placed in a record, check its path")
        try:
            _make(rule.mask)
        except UnmaskableError as error:
            faults.append(f"field `{path}`: {error}")
    return tuple(faults)


def _misfits(catalogue: Catalogue) -> frozenset[str]:
    """Paths that have no one place: too deep, badly written, or at odds with another path.

    `address` and `address.city` cannot both be fields, nor can `cards[].number` and `cards.count`.
    """
    kinds: dict[str, set[str]] = {}
    for path in catalogue.fields:
        for place, kind in _places(path):
            kinds.setdefault(place, set()).add(kind)
    return frozenset(
        path
        for path, rule in catalogue.fields.items()
        if path != rule.path
        or len(path.split(".")) > MAX_DEPTH
        or not _PATH.fullmatch(path)
        or any(len(kinds[place]) > 1 for place, _ in _places(path))
    )


def _places(path: str) -> list[tuple[str, str]]:
    """Each object, list and leaf on the way, without brackets, and what the path takes it for."""
    steps = path.split(".")
    places: list[tuple[str, str]] = []
    for n, step in enumerate(steps, start=1):
        kind = ("list of " if step.endswith("[]") else "") + (
            "leaf" if n == len(steps) else "object"
        )
        places.append((".".join(s.removesuffix("[]") for s in steps[:n]), kind))
    return places


def _make(spec: TransformSpec) -> tuple[Transform, Mask, KeyedMask | None]:
    transform = REGISTRY.find(spec.name)
    params = transform.complete(spec.params)
    keyed = None if transform.make_keyed is None else transform.make_keyed(params)
    return transform, transform.make(params), keyed


def _settle(rule: FieldRule, forms: Mapping[str, Form]) -> _Field:
    form = forms.get(rule.cls, Form.HIDE)
    try:
        transform, mask, keyed = _make(rule.mask)
    except UnmaskableError:
        return _Field(
            rule=rule,
            form=Form.REDACT if form is Form.MASK else form,
            mask=_REDACT,
            is_prose=False,
            is_faulty=form is Form.MASK,
        )
    if form is not Form.MASK:
        return _Field(rule=rule, form=form, mask=mask, is_prose=transform.is_prose)
    return _Field(
        rule=rule,
        form=transform.form,
        mask=mask,
        is_prose=transform.is_prose,
        keyed=keyed,
        # A mask that is no more than a constant says so without looking at any value.
        constant=mask(None) if transform.form is Form.REDACT else REDACTED,
        is_synthetic=transform.is_synthetic,
    )


def _asked(
    known: Sequence[_Field], paths: tuple[str, ...] | None
) -> tuple[list[_Field], tuple[str, ...]]:
    if paths is None:
        return list(known), ()
    wanted = set(paths)
    asked = [f for f in known if not wanted.isdisjoint(_names(f.rule.path))]
    names = {name for f in known for name in _names(f.rule.path)}
    return asked, tuple(path for path in dict.fromkeys(paths) if path not in names)


def _names(path: str) -> list[str]:
    """What a caller may ask a field by: its path, and every object or list that it lies in."""
    steps = path.split(".")
    outer = [".".join(steps[:n]) for n in range(1, len(steps) + 1)]
    return [*outer, *(name.removesuffix("[]") for name in outer if name.endswith("[]"))]


def _classes(shown: Sequence[_Field]) -> dict[str, str]:
    most: dict[str, Form] = {}
    for field in shown:
        cls = field.rule.cls
        most[cls] = max(most.get(cls, Form.HIDE), field.form)
    return {cls: most[cls].name.lower() for cls in sorted(most)}
