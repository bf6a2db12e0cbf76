import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ABCDEFGH", "A****GH"),
        ("ABCDEFG", "A****FG"),
        ("ABCDEF", "****"),
        ("ab", "****"),
        ("AB-CD EF/GH", "A****GH"),
        (1234567, "1****67"),
        ("", ""),
        ("李小龍李小龍李", "李****龍李"),
    ],
)
def test_both_ends_are_shown_of_values_long_enough(value: str | int, shown: str) -> None:
    assert mask("keep_both")(value) == shown


def test_nought_of_an_end_is_nothing() -> None:
    assert mask("keep_both", first=2, last=0)("ABCDEFGH") == "AB****"
    assert mask("keep_both", first=0, last=0)("ABCDEFGH") == "****"


@pytest.mark.parametrize("value", [None, True])
def test_what_is_no_text_is_refused(value: bool | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        mask("keep_both")(value)
