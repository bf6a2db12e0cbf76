import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+49 170 1234567", "*****67"),
        ("(030) 123-456", "*****56"),
        ("1234567", "*****67"),
        ("123456", "*****"),
        ("1" * 21, "*****"),
        ("+49 170 1234567 ext. 89", "*****67"),
        ("+49 170 1234567x89", "*****67"),
        (1701234567, "*****67"),
        ("", ""),
        ("ext. 5", "*****"),
    ],
)
def test_the_last_two_digits_are_shown(value: str | int, shown: str) -> None:
    assert mask("phone")(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+1 202 555 0143", "+1 *****0143"),
        ("+49 170 1234567", "+49 *****4567"),
        ("+353 85 012 3456", "+353 *****3456"),
        ("0170 1234567", "*****4567"),
        ("+353 85 0123", "*****"),
    ],
)
def test_the_country_is_kept_where_enough_stays_hidden(value: str, shown: str) -> None:
    assert mask("phone", keep_country=True, last=4)(value) == shown


@pytest.mark.parametrize("value", ["call me maybe", "123456a", True, None])
def test_what_is_no_number_is_refused(value: str | bool | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        mask("phone")(value)
