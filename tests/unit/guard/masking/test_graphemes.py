import time
import unicodedata

from guard.masking.graphemes import clusters, is_dense, normal


def test_a_family_an_accent_and_a_line_break_are_one_cluster_each() -> None:
    assert clusters("👩‍👩‍👧e\u0301\r\n") == ["👩‍👩‍👧", "é", "\r\n"]


def test_plain_ascii_is_split_by_character() -> None:
    assert clusters("ab c") == ["a", "b", " ", "c"]
    assert clusters("a\r\nb") == ["a", "\r\n", "b"]


def test_an_overlong_cluster_becomes_a_star() -> None:
    assert clusters("x" + "\u0301" * 40) == ["*"]


def test_text_is_composed() -> None:
    assert normal("e\u0301") == "é"


def test_scripts_that_write_short_names_are_dense() -> None:
    assert all(is_dense(text) for text in ("李明", "さくら", "サクラ", "김"))
    assert not is_dense("Maria")


def test_a_letter_of_any_number_of_marks_is_composed_in_linear_time() -> None:
    text = "a" + "\u0301\u0323" * 16_000
    started = time.process_time()
    once = normal(text)
    assert time.process_time() - started < 0.3
    assert normal(once) == once
    assert once.replace("\u034f", "").count("\u0301") + 1 >= 16_000
    # Thirty marks are more than any script puts on one letter: those stay as they are.
    few = "a" + "\u0301\u0323" * 15
    assert normal(few) == unicodedata.normalize("NFC", few)
