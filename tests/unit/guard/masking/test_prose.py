import pytest

from guard.masking import REDACTED
from guard.masking.prose import redact
from guard.rows import RawRecord
from tests.unit.guard.masking.support import RECORD

RAW = RawRecord(RECORD)


def test_the_own_values_of_a_record_are_taken_out_of_a_message() -> None:
    text = "Hi, this is MARÍA gonzalez, 12 Elm Row, card 4111-1111-1111-1111."
    shown = redact(text, RAW).casefold()
    for value in ("mar", "gonzalez", "elm row", "4111"):
        assert value not in shown
    assert shown.startswith("hi, this is ")


def test_without_a_record_patterns_are_taken_out() -> None:
    assert redact("Maria, maria@example.org, 0170 1234567", None) == "Maria, [email], [phone]"


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("x" * 65_537, None),
        ("é" * 40_000, None),
        ("\ud800", None),
        ("hello", RawRecord({"odd": list(range(2_000))})),
        ("hello", RawRecord({"odd": 10**5000})),
    ],
    ids=["long", "long in bytes", "lone surrogate", "many values", "huge number"],
)
def test_what_cannot_be_searched_becomes_the_constant(text: str, raw: RawRecord | None) -> None:
    assert redact(text, raw) == REDACTED


def test_empty_text_stays_empty() -> None:
    assert redact("", RAW) == ""
