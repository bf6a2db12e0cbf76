import pytest

from guard.masking import REGISTRY
from guard.masking.scalars import Scalar, UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("pattern", "repl", "value", "shown"),
    [
        (r"([A-Z]{2})-\d{4,6}-(\d{2})", r"\1-****-\2", "AB-12345-67", "AB-****-67"),
        (r"(\w)\w*@.*", r"\1*@*", "maria@example.org", "m*@*"),
        (r"ORD\-?[0-9 ]+", "order", "ORD-1234 5678", "order"),
        (r".*", "****", "anything at all", "****"),
        (r"(a?)\d{5,}b?", r"\1x", "12345", "x"),
        (r"(\d)\d{6}", r"\1****", 7654321, "7****"),
        (r"(.)\..{6}", r"\1", "é.secret", "é"),
        (r"x+", "", "", ""),
    ],
)
def test_the_groups_of_a_match_are_shown(
    pattern: str, repl: str, value: str | int, shown: str
) -> None:
    assert mask("regex", pattern=pattern, repl=repl)(value) == shown


@pytest.mark.parametrize(
    "value", ["AB-12", "xAB-12345-67", "AB-12345-67x", "AB-12345-67\n", "A" * 257, None, 1.5]
)
def test_no_match_is_refused_and_never_passed_through(value: Scalar) -> None:
    with pytest.raises(UnmaskableError):
        mask("regex", pattern=r"([A-Z]{2})-\d{4,6}-(\d{2})", repl=r"\1\2")(value)


def test_four_characters_stay_hidden() -> None:
    shown = mask("regex", pattern=r"(.{1,4}).*", repl=r"\1")
    assert shown("12345678") == "1234"
    for value in ("1234567", "1", "👩\u200d👩\u200d👧"):
        with pytest.raises(UnmaskableError):
            shown(value)


def test_a_repetition_gives_nothing_back() -> None:
    with pytest.raises(UnmaskableError):
        mask("regex", pattern=r"\d*5", repl="x")("12345")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a|b)",
        "(a(b))",
        "(a",
        "a)",
        "^a",
        "a$",
        r"(.)\1",
        "(?=a)",
        "(?:a)",
        "a**",
        "a*?",
        "[^a]",
        "[a",
        "[z-a]",
        "[+--]",
        "a{3,1}",
        "a{1000}",
        "*",
        r"\b",
        "()*",
    ],
)
def test_what_could_be_tried_twice_or_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(UnmaskableError, match="`regex`"):
        mask("regex", pattern=pattern, repl="x")


@pytest.mark.parametrize("repl", [r"\2", r"\0", "\\", r"\1\1"])
def test_a_replacement_names_groups_that_are_there_once(repl: str) -> None:
    with pytest.raises(UnmaskableError, match="names each group at most once"):
        mask("regex", pattern=r"(\d)\d*", repl=repl)


@pytest.mark.parametrize(
    ("pattern", "repl", "leaks"),
    [
        (r"(\d)\d*", "x", 0),
        (r"(\d)\d*", r"\1", 1),
        (r"(\d{2,3}x?)\d*([ab]{2})", r"\1\2", 6),
        (r"(\d{2,3}x?)\d*([ab]{2})", r"\2", 2),
        (r"(\d{2,})x", r"\1", 256),
        (r"(\d*)x(.+)", r"\1", 256),
    ],
)
def test_the_bound_is_counted_from_the_groups(pattern: str, repl: str, leaks: int) -> None:
    transform = REGISTRY.find("regex")
    assert transform.leaks(transform.complete({"pattern": pattern, "repl": repl})) == leaks
