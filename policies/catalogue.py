"""The field catalogue: the class of each field, how it is masked, and whether it is sensitive.

A field that is not in the catalogue is withheld, whatever else a policy says. Paths are dotted,
lists are written `cards[].number`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSpec:
    """Which transform of `guard.masking` makes the masked form, and with what parameters."""

    name: str
    params: Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One field: its path, its class, its mask, and whether it counts as sensitive."""

    path: str
    cls: str
    mask: TransformSpec
    is_sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All fields that may ever be shown."""

    fields: Mapping[str, FieldRule]

    def rule(self, path: str) -> FieldRule | None:
        """The rule of one path; None: unknown, and therefore withheld."""
        return self.fields.get(path)
