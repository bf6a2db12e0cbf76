from decimal import Decimal

import pytest

from guard.masking.amounts import decimal_of
from guard.masking.scalars import Scalar, UnmaskableError
from tests.unit.guard.masking.support import in_digits


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, "3"),
        ("-19.90", "-19.90"),
        (0.1, "0.1"),
        (in_digits("arabic", "42"), "42"),
        ("1e3", "1e3"),
    ],
)
def test_a_number_is_read_exactly(value: Scalar, number: str) -> None:
    assert decimal_of(value) == Decimal(number)


@pytest.mark.parametrize(
    "value", [None, False, "", "x", "inf", "nan", "1e24", "1e-24", "1" * 25, "1" * 41]
)
def test_what_is_no_number_of_fair_size_is_refused(value: Scalar) -> None:
    with pytest.raises(UnmaskableError):
        decimal_of(value)
