import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234567890", "1234****"),
        ("12345", "1****"),
        ("1234", "****"),
        ("AB-12 34", "AB****"),
        (987654321, "9876****"),
        ("", ""),
        ("👩\u200d👩\u200d👧12345", "👩\u200d👩\u200d👧1****"),
        ("\u200b\u200b\u200b\u200b1234", "****"),
    ],
)
def test_the_first_are_shown_as_far_as_four_stay_hidden(value: str | int, shown: str) -> None:
    assert mask("keep_first")(value) == shown


def test_more_may_be_hidden() -> None:
    assert mask("keep_first", n=2, min_hidden=8)("123456789") == "1****"


@pytest.mark.parametrize("value", [None, True, 1.5])
def test_what_is_no_text_is_refused(value: float | None) -> None:
    with pytest.raises(UnmaskableError):
        mask("keep_first")(value)
