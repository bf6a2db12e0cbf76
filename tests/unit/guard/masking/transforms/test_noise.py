import pytest

from guard.masking.scalars import Scalar, UnmaskableError
from tests.unit.guard.masking.support import context, keyed, mask


def test_looking_again_or_elsewhere_shows_the_same() -> None:
    first = keyed("noise")(100_000)
    assert keyed("noise")(100_000) == first
    assert keyed("noise", context(scope="case:2"))(100_000) == first
    assert keyed("noise", context("cust_2"))(100_000) != first


@pytest.mark.parametrize("value", [0, 1, -1, 7, 100, -5_000, 10**15])
def test_an_integer_moves_within_its_share_and_by_at_least_one(value: int) -> None:
    for n in range(30):
        shown = keyed("noise", context(f"cust_{n}"), percent=10)(value)
        assert isinstance(shown, int)
        assert 1 <= abs(shown - value) <= max(1, abs(value) // 10)


def test_noise_goes_both_ways() -> None:
    moves = {keyed("noise", context(f"cust_{n}"))(10) for n in range(50)}
    assert moves == {9, 11}


@pytest.mark.parametrize("value", ["+19.99", 19.99, "19.990"])
def test_a_number_with_decimals_keeps_two(value: Scalar) -> None:
    shown = str(keyed("noise")(value))
    assert shown == keyed("noise")("19.99")
    assert shown != "19.99"
    assert len(shown.partition(".")[2]) == 2


@pytest.mark.parametrize("value", [None, True, "", "abc", "1e30"])
def test_what_is_no_number_is_refused(value: Scalar) -> None:
    with pytest.raises(UnmaskableError):
        keyed("noise")(value)


def test_without_a_key_it_refuses() -> None:
    with pytest.raises(UnmaskableError):
        mask("noise")(100)
