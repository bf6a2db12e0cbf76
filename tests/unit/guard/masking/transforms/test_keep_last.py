import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234", "****"),
        ("12345", "****5"),
        ("1234567", "****567"),
        ("12345678", "****5678"),
        ("12345678901234567890", "****7890"),
        ("", ""),
        ("-", "****"),
        ("12 34", "****"),
        ("DE44 5001 0517 5407 3249 31", "****4931"),
        (123456, "****56"),
        ("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", "****"),
        ("abcd👩‍👩‍👧", "****👩‍👩‍👧"),
        ("abcde\u0301", "****e\u0301".replace("e\u0301", "é")),
    ],
)
def test_the_last_characters_stay_and_at_least_four_are_hidden(
    value: str | int, shown: str
) -> None:
    assert mask("keep_last")(value) == shown


def test_more_can_be_hidden_and_less_can_be_shown() -> None:
    assert mask("keep_last", n=2, min_hidden=8)("1234567890") == "****90"
    assert mask("keep_last", n=0)("1234567890") == "****"


def test_a_cluster_that_carries_a_hidden_text_is_a_star() -> None:
    smuggled = "a" + "".join(chr(0xE0020 + i) for i in range(40))
    assert mask("keep_last")("12345678" + smuggled) == "****678*"


@pytest.mark.parametrize("value", [True, 1.5, None])
def test_what_is_not_text_is_refused(value: bool | float | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        mask("keep_last")(value)
