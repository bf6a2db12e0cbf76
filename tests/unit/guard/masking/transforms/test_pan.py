import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("4111111111111111", "****1111"),
        ("4111 1111 1111 1111", "****1111"),
        ("5555-5555-5555-4444", "****4444"),
        (5555555555554444, "****4444"),
        ("", ""),
    ],
)
def test_the_last_four_are_shown(value: str | int, shown: str) -> None:
    assert mask("pan")(value) == shown


def test_the_first_six_are_shown_of_long_numbers_only() -> None:
    both = mask("pan", first=6, last=4)
    assert both("4111111111111111") == "411111****1111"
    assert both("630495060000000000") == "630495****0000"
    assert both("501800000009") == "****0009"


@pytest.mark.parametrize(
    "value", ["4111111111111112", "41111111111", "4" * 20, "4111x1111y1111z1", True, None]
)
def test_what_fails_the_check_digit_is_refused(value: str | bool | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        mask("pan")(value)
