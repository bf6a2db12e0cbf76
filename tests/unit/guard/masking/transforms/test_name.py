import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Maria Gonzalez", "M. G."),
        ("X Æ", "* *"),
        ("Жанна Петрова", "Ж. П."),
        ("محمد علي", "م. ع."),
        ("李明", "*"),
        ("欧阳明月", "欧."),
        ("One Two Three Four Five", "O. T. T. F."),
        ("E\u0301milie", "É."),
        ("", ""),
        ("   ", ""),
    ],
)
def test_initials_are_shown(value: str, shown: str) -> None:
    assert mask("name")(value) == shown


def test_the_first_initial_alone_is_shown() -> None:
    assert mask("name", style="first_initial")("Maria Gonzalez") == "M."


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(UnmaskableError):
        mask("name")(5)
