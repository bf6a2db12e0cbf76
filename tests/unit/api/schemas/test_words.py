import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.schemas.words import Ident, Instant, Prose
from guard.clock import to_rfc3339

IDENT: TypeAdapter[str] = TypeAdapter(Ident)
PROSE: TypeAdapter[str] = TypeAdapter(Prose)
INSTANT: TypeAdapter[int] = TypeAdapter(Instant)


@given(st.text(max_size=140))
def test_an_id_holds_no_control_characters_and_is_bounded(text: str) -> None:
    is_clean = not any(
        ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in text
    )
    if is_clean and 1 <= len(text) <= 128:
        assert IDENT.validate_python(text) == text
    else:
        with pytest.raises(ValidationError):
            IDENT.validate_python(text)


@pytest.mark.parametrize("text", ["a\0", "a\x1b[2J", "a\x7f", "a\ud800", "", "x" * 2001])
def test_prose_is_text_for_people(text: str) -> None:
    with pytest.raises(ValidationError):
        PROSE.validate_python(text)


def test_prose_may_have_lines() -> None:
    assert PROSE.validate_python("one\n\ttwo\r\n") == "one\n\ttwo\r\n"


@given(st.integers(min_value=0, max_value=253_402_300_799_000_000))
def test_a_time_comes_back_as_it_went(at: int) -> None:
    assert INSTANT.validate_python(to_rfc3339(at)) == at


@pytest.mark.parametrize("value", ["2026-01-01", "2026-13-01T00:00:00Z", 0, 1.5, True, [], "", "Z"])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)
