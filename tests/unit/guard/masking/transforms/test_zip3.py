import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import in_digits, mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("94105", "941"),
        (60601, "606"),
        ("94105-1234", "941"),
        ("941051234", "941"),
        (in_digits("full-width", "94105"), "941"),
        ("03601", "000"),
        ("89301", "000"),
        ("", ""),
    ],
)
def test_three_digits_are_shown_where_many_people_live(value: str | int, shown: str) -> None:
    assert mask("zip3")(value) == shown


def test_fewer_digits_may_be_shown() -> None:
    assert mask("zip3", n=1)("94105") == "9"
    assert mask("zip3", n=2)("89301") == "89"


@pytest.mark.parametrize("value", ["SW1A 2AA", "1011", "1234567", "94105 x", None])
def test_other_postcodes_are_refused(value: str | None) -> None:
    with pytest.raises(UnmaskableError):
        mask("zip3")(value)
