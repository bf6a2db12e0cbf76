from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import Cursors
from api.problems import CursorError

CURSORS = Cursors(bytes(range(32)))


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4))
def test_a_cursor_continues_its_own_question(position: str, question: list[str]) -> None:
    position = position.encode("utf-8", "ignore").decode()
    assert CURSORS.read(CURSORS.make(position, *question), *question) == position


@given(st.lists(st.text(max_size=9), max_size=4), st.lists(st.text(max_size=9), max_size=4))
def test_a_cursor_fits_no_other_question(one: list[str], other: list[str]) -> None:
    same = [t.encode("utf-8", "replace") for t in one] == [
        t.encode("utf-8", "replace") for t in other
    ]
    if not same:
        with pytest.raises(CursorError):
            CURSORS.read(CURSORS.make("7", *one), *other)


@given(st.text(max_size=80))
def test_an_invented_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorError):
        CURSORS.read(text, "q")


def test_every_changed_character_is_noticed() -> None:
    cursor = CURSORS.make("12345", "q")
    for at in range(len(cursor)):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        with pytest.raises(CursorError):
            CURSORS.read(changed, "q")


def test_another_key_makes_other_cursors() -> None:
    with pytest.raises(CursorError):
        Cursors(bytes(32)).read(CURSORS.make("7", "q"), "q")


def test_no_cursor_is_the_first_page() -> None:
    assert CURSORS.read(None, "q") is None


def test_cursors_survive_a_restart(tmp_path: Path) -> None:
    cursor = Cursors.open(tmp_path).make("7", "q")
    assert Cursors.open(tmp_path).read(cursor, "q") == "7"
