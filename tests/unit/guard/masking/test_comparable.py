import pytest

from guard.masking.comparable import ascii_digits, letters_and_digits, same_text
from tests.unit.guard.masking.support import ZEROS, in_digits


@pytest.mark.parametrize("script", sorted(ZEROS))
def test_digits_of_any_script_are_ascii_digits(script: str) -> None:
    assert ascii_digits(in_digits(script, "a 0123456789")) == "a 0123456789"
    assert ascii_digits("plain 1") == "plain 1"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("  Maria   GONZALEZ ", "maria gonzalez"),
        ("JOSE\u0301", "josé"),
        ("Straße", "strasse"),
        ("ma\u200bri\u00ada\ufe0f", "maria"),
        ("j.doe@Example.org", "j.doe@example.org"),
        ("\ud800a", "a"),
    ],
)
def test_texts_that_mean_the_same_have_one_form(text: str, form: str) -> None:
    assert same_text(text) == form
    assert same_text(form) == form


def test_punctuation_and_blanks_can_be_dropped_too_and_marks_not() -> None:
    assert letters_and_digits("AB-12 34/x") == "ab1234x"
    assert letters_and_digits("कि") == "कि"
