import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(("value", "shown"), [("u33dc0cr", "u33"), ("U33DC0", "u33"), ("", "")])
def test_the_first_characters_are_shown(value: str, shown: str) -> None:
    assert mask("geohash")(value) == shown


def test_at_most_five_of_six() -> None:
    assert mask("geohash", n=5)("u33dc0") == "u33dc"


@pytest.mark.parametrize("value", ["u33dc", "u33da0", "52.5,13.4", "u33dc0cru33dc", None])
def test_what_is_no_geohash_is_refused(value: str | None) -> None:
    with pytest.raises(UnmaskableError):
        mask("geohash")(value)
