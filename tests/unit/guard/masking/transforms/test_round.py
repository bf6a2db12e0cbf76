import pytest

from guard.masking.scalars import Scalar, UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [(149, 100), (150, 200), (250, 200), (-149, -100), (0, 0), ("149.99", 100), (151.0, 200)],
)
def test_a_number_goes_to_the_nearest_step_and_half_to_the_even_one(
    value: Scalar, shown: int
) -> None:
    assert mask("round", step=100)(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12345, 12000),
        (-12345, -12000),
        (7, 7),
        (0, 0),
        ("0.01234", "0.012"),
        (1250.5, "1300"),
        ("1250", "1200"),
        (999, 1000),
    ],
)
def test_significant_digits_are_kept(value: Scalar, shown: Scalar) -> None:
    assert mask("round", digits=2)(value) == shown


@pytest.mark.parametrize("value", [None, True, "", "abc", "NaN", "1e30", "1" * 41, "1e-30"])
def test_what_is_no_number_is_refused(value: Scalar) -> None:
    with pytest.raises(UnmaskableError):
        mask("round", step=100)(value)


@pytest.mark.parametrize("params", [{}, {"step": 1}, {"step": 10, "digits": 2}])
def test_one_of_step_and_digits_is_needed(params: dict[str, int]) -> None:
    with pytest.raises(UnmaskableError, match="`round` needs"):
        mask("round", **params)
