import time

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


HOSTILE = [
    *(
        "a",
        "1",
        "a.",
        "a1-",
        "1a1a ",
        "a@",
        "a@b%",
        "a%",
        "_a",
        "_1a",
        "_ab12345",
        "@",
        "+",
        ":",
        "a:",
    ),
    *(
        "1:",
        "::abcd1 ",
        "1.",
        "1.1.1.1 ",
        "1(1)-1.",
        "1( ",
        "12345678, ",
        "1234567,",
        "1.1.1.1.",
        "1 ",
    ),
    *("jan ", "jan 1 ", "1 jan ", "january", "DE89 ", "NO9386011117947 ", "DE89370400440532013000"),
    *("0x", "bc1", "bc1qqqqqqqqqqq ", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ", "4111111111111112,"),
    *(
        "maria ",
        "gonzalez",
        "Maria Gonzalez, 12 Elm Row; ",
        "4111 1111 1111 1111 / ",
        "elm ",
        "hannah",
    ),
    *(
        "1\u200b",
        "\u200b",
        "\u200ba",
        "1\u0301",
        "a\u0301\u0323",
        "\u0301\u0323",
        "\u0301",
        "\u0344",
    ),
    *(
        "\u0661\u0662, ",
        "\u0661",
        "Мария Гонсалес, ",
        "\ud55c\uae00",
        "\ufdfa",
        "ß",
        "👩\u200d👧",
        "\U00020000",
    ),
    *("\u0661.1.1.1 ", "é1", "é@é ", "é_é1é", "12345678é", "é.", "é jan 1"),
]


@pytest.mark.parametrize("unit", HOSTILE, ids=ascii)
def test_no_text_takes_more_than_linear_time(unit: str) -> None:
    text = (unit * 65_536).encode()[:65_536].decode(errors="ignore")
    taken = []
    for _ in range(2):
        started = time.process_time()
        redact(text, RAW)
        taken.append(time.process_time() - started)
    # Some twenty times what it takes; where a run is read once for each of its places it takes
    # seconds.
    assert min(taken) < 0.5
