import pytest

from guard.masking.handover import address
from guard.rows import RawRecord
from policies.catalogue import FieldRule, TransformSpec
from tests.unit.guard.masking.support import in_digits


def of(contact: str | None, value: object, path: str = "f") -> str | None:
    rule = FieldRule(
        path=path,
        cls="c",
        mask=TransformSpec(name="redact", params={}),
        is_sensitive=True,
        contact=contact,
    )
    return address(RawRecord({"f": value}), rule)


@pytest.mark.parametrize(
    ("contact", "value", "plain"),
    [
        ("mail", " maria@example.org ", "maria@example.org"),
        ("mail", "мария@пример.рф", "мария@пример.рф"),
        ("call", "+49 (170) 123-4567", "+491701234567"),
        ("call", "0170/1234567 ext 12", "01701234567"),
        ("call", in_digits("arabic", "+49 170 1234567"), "+491701234567"),
        ("call", 1701234567, "1701234567"),
        ("message", "@maria", "@maria"),
    ],
)
def test_the_channel_gets_one_plain_address(contact: str, value: object, plain: str) -> None:
    assert of(contact, value) == plain


def test_of_several_the_first_is_taken() -> None:
    assert of("mail", ["a@example.org", "b@example.org"], "f[]") == "a@example.org"


@pytest.mark.parametrize(
    ("contact", "value"),
    [
        (None, "maria@example.org"),
        ("mail", None),
        ("mail", ""),
        ("mail", "maria"),
        ("mail", "a@example.org, b@example.org"),
        ("mail", "Maria <a@example.org>"),
        ("mail", "a@b@example.org"),
        ("mail", "a@example.org\r\nBcc: b@example.org"),
        ("mail", "a@exam\u202eple.org"),
        ("mail", f"{'x' * 65}@example.org"),
        ("call", "call me"),
        ("call", "12345"),
        ("call", "1" * 21),
        ("call", "0900 RIPOFF"),
        ("message", "a\nb"),
        ("mail", {"a": 1}),
    ],
)
def test_what_is_not_one_clean_address_is_none(contact: str | None, value: object) -> None:
    assert of(contact, value) is None
