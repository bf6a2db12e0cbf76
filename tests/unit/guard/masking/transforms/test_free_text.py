import pytest

from guard.masking.scalars import MAX_TEXT, UnmaskableError
from tests.unit.guard.masking.support import mask


def test_identifiers_are_taken_out_and_the_rest_stays() -> None:
    text = "Asked for a refund of 30 euro, write to maria@example.org"
    assert mask("free_text")(text) == "Asked for a refund of 30 euro, write to [email]"


def test_a_text_over_64_kib_is_refused() -> None:
    assert mask("free_text")("x" * MAX_TEXT) == "x" * MAX_TEXT
    for value in ("x" * (MAX_TEXT + 1), "é" * (MAX_TEXT // 2 + 1), 5, None):
        with pytest.raises(UnmaskableError):
            mask("free_text")(value)
