"""The transforms by name: what each takes, what it may show at most, and which version it is.

A transform is a pure function of one scalar. It may raise, and then the field is redacted and
counted: a plan never shows a value that its transform could not handle. A published version is
never changed; a different result for the same value is a new version (`keep_last@2`), so that
a decision taken under an old bundle shows the same when it is replayed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from guard.masking.context import MaskContext
from guard.masking.scalars import Scalar, UnmaskableError
from policies.model import Form

Params: TypeAlias = Mapping[str, str | int | bool]
Mask: TypeAlias = Callable[[Scalar], Scalar]
KeyedMask: TypeAlias = Callable[[Scalar, MaskContext], Scalar]

REDACTED = "[hidden]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole-number parameter from `low` to `high`."""

    default: int
    low: int
    high: int

    def accepts(self, value: object) -> bool:
        """Whether `value` may be given; a boolean is not a number here."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A parameter that is one of a few words."""

    default: str
    words: tuple[str, ...]

    def accepts(self, value: object) -> bool:
        """Whether `value` may be given."""
        return isinstance(value, str) and value in self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A parameter that is true or false."""

    default: bool

    def accepts(self, value: object) -> bool:
        """Whether `value` may be given."""
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A short text parameter whose meaning the transform checks when it is made."""

    default: str
    longest: int = 200

    def accepts(self, value: object) -> bool:
        """Whether `value` may be given."""
        return isinstance(value, str) and len(value) <= self.longest


Parameter: TypeAlias = Number | Choice | Flag | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """One way to show less than the value.

    `make` takes complete parameters and returns the mask; it raises UnmaskableError when they make
    no sense together. `leaks` is the most graphemes of the value that one answer can show. `form`
    is what a field with this mask really gets: `hide` and `redact` are forms of their own, so such
    a field is not even fetched. With `is_prose`, the record's own values are taken out of the text
    before the mask sees it. A transform with `make_keyed` needs a context; its `make` is what is
    done without one, and refuses.

    `is_reversible`: who holds the key can work back from the answer to the value.
    `is_deterministic`: equal values of different customers look equal, so that they join.
    `is_synthetic`: the answer is invented, and whoever passes it on should say so.
    """

    name: str
    version: int
    params: Mapping[str, Parameter]
    make: Callable[[Params], Mask]
    leaks: Callable[[Params], int]
    form: Form = Form.MASK
    is_prose: bool = False
    make_keyed: Callable[[Params], KeyedMask] | None = None
    is_reversible: bool = False
    is_deterministic: bool = True
    is_synthetic: bool = False

    @property
    def id(self) -> str:
        """Name and version, as `keep_last@1`."""
        return f"{self.name}@{self.version}"

    def complete(self, given: Params) -> Params:
        """Add the defaults.

        Raises:
            UnmaskableError: A parameter is unknown or has a value that it may not have.
        """
        for name, value in given.items():
            known = self.params.get(name)
            if known is None:
                raise UnmaskableError(f"`{self.name}` has no parameter `{name}`")
            if not known.accepts(value):
                raise UnmaskableError(f"`{self.name}` does not take that value for `{name}`")
        return {name: given.get(name, p.default) for name, p in self.params.items()}


def without_key(_params: Params) -> Mask:
    """The `make` of a keyed transform: a mask that refuses, for where there is no context."""
    return _refuse


def _refuse(_value: Scalar) -> Scalar:
    raise UnmaskableError("this mask needs a key and a scope")


class Registry:
    """Transforms by `name@version`; a bare name means the newest version."""

    def __init__(self, transforms: Iterable[Transform]) -> None:
        """Take all transforms.

        Raises:
            ValueError: Two of them have the same name and version.
        """
        self._by_id: dict[str, Transform] = {}
        newest: dict[str, Transform] = {}
        for transform in transforms:
            if transform.id in self._by_id:
                raise ValueError(f"transform `{transform.id}` is there twice, raise the version")
            self._by_id[transform.id] = transform
            other = newest.get(transform.name)
            if other is None or other.version < transform.version:
                newest[transform.name] = transform
        self._newest = newest

    def find(self, name: str) -> Transform:
        """Find by `name@version` or by name.

        Raises:
            UnmaskableError: There is no such transform.
        """
        found = self._by_id.get(name) or self._newest.get(name)
        if found is None:
            raise UnmaskableError(f"there is no transform `{name}`")
        return found

    def all(self) -> tuple[Transform, ...]:
        """Every transform in every version, by id."""
        return tuple(self._by_id[key] for key in sorted(self._by_id))
