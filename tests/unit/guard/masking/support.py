"""Makers for the masking tests."""

from collections.abc import Mapping

from guard.masking import REDACTED, REGISTRY, MaskContext
from guard.masking.registry import Mask, Params
from policies.catalogue import Catalogue, FieldRule, TransformSpec


def mask(name: str, **params: str | int | bool) -> Mask:
    """The mask of a transform with `params` and the defaults."""
    transform = REGISTRY.find(name)
    return transform.make(transform.complete(params))


def context(subject: str = "cust_1", scope: str = "case:1", key: bytes = b"k" * 32) -> MaskContext:
    """A key with a customer and a scope."""
    return MaskContext(key=key, subject=subject, scope=scope)


def keyed(name: str, at: MaskContext | None = None, **params: str | int | bool) -> Mask:
    """The mask of a keyed transform in a context."""
    transform = REGISTRY.find(name)
    assert transform.make_keyed is not None
    mask_in = transform.make_keyed(transform.complete(params))
    here = context() if at is None else at
    return lambda value: mask_in(value, here)


ZEROS = {"arabic": 0x660, "devanagari": 0x966, "full-width": 0xFF10, "thai": 0xE50}


def in_digits(script: str, text: str) -> str:
    """`text` with its digits in another script."""
    return text.translate({ord("0") + n: ZEROS[script] + n for n in range(10)})


def rule(path: str, cls: str, name: str = "redact", *, sensitive: bool = False) -> FieldRule:
    """A field with a mask that takes no parameters of its own."""
    spec = TransformSpec(name=name, params={})
    return FieldRule(path=path, cls=cls, mask=spec, is_sensitive=sensitive)


def with_params(path: str, cls: str, name: str, params: Params) -> FieldRule:
    """A field with a mask and its parameters."""
    spec = TransformSpec(name=name, params=params)
    return FieldRule(path=path, cls=cls, mask=spec, is_sensitive=False)


def catalogue(*rules: FieldRule) -> Catalogue:
    """A catalogue of `rules`."""
    return Catalogue(fields={r.path: r for r in rules})


CRM = catalogue(
    rule("full_name", "identity", "name"),
    rule("email", "contact", "email"),
    rule("phone", "contact", "phone"),
    rule("national_id", "government_id", "keep_last", sensitive=True),
    rule("address.street", "address"),
    rule("address.city", "place", "keep_last"),
    rule("cards[].brand", "card_brand"),
    rule("cards[].number", "card", "pan", sensitive=True),
    rule("tags[]", "tags", "keep_last"),
    rule("notes", "notes", "free_text", sensitive=True),
    rule("plan", "account"),
)

RECORD: Mapping[str, object] = {
    "full_name": "Maria Gonzalez",
    "email": "maria@example.org",
    "phone": "+49 170 1234567",
    "national_id": "AB123456C",
    "address": {"street": "12 Elm Row", "city": "Springfield", "door_code": "9911"},
    "cards": [{"brand": "visa", "number": "4111111111111111", "cvc": "123"}],
    "tags": ["early-adopter"],
    "notes": "Maria called from 0170-1234567 about card 4111 1111 1111 1111.",
    "plan": "gold",
    "password": "hunter2hunter2",
}

__all__ = [
    "CRM",
    "RECORD",
    "REDACTED",
    "catalogue",
    "context",
    "in_digits",
    "keyed",
    "mask",
    "rule",
    "with_params",
]
