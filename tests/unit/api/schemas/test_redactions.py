import pytest
from pydantic import ValidationError

from api.schemas.redactions import MAX_TEXT, RedactionBody
from guard.masking.scalars import MAX_TEXT as MASKABLE


def test_a_text_is_as_long_as_masking_takes() -> None:
    assert MAX_TEXT == MASKABLE
    assert RedactionBody(customer="c", text="x" * MAX_TEXT).case is None
    with pytest.raises(ValidationError):
        RedactionBody(customer="c", text="x" * (MAX_TEXT + 1))
