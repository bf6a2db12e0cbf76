import time
import unicodedata

import pytest

from guard.masking.own_values import folded, own_values, take_out
from guard.masking.scalars import MAX_TEXT, UnmaskableError

NOTHING: frozenset[str] = frozenset()


def clean(text: str, **record: object) -> str:
    return take_out(text, own_values(record, NOTHING))


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("Maria Gonzalez", "Spoke to MARIA GONZALEZ again", "Spoke to [hidden] again"),
        ("Maria Gonzalez", "Mrs gonzález-x", "Mrs [hidden]-x"),
        ("Straße", "at STRASSE 5", "at [hidden] 5"),
        ("Жанна", "пишет ЖАННА", "пишет [hidden]"),
        ("e\u0301milie", "Émilie", "[hidden]"),
        ("+49 170 1234567", "from 0170-123 45 67.", "from 017[hidden]."),
        ("4111111111111111", "4111.1111.1111.1111!", "[hidden]!"),
        ("AB123456C", "id ab 12 34 56 c", "id [hidden]"),
        ("123456789", "١٢٣٤٥٦٧٨٩", "[hidden]"),
        ("Maria", "Ma\u200bria", "[hidden]"),
        ("Maria", "\uff2d\uff41\uff52\uff49\uff41", "[hidden]"),
        ("Ann", "Ann's annual plan", "[hidden]'s annual plan"),
        ("Al", "Al is too short", "Al is too short"),
        ("anana", "bananana", "b[hidden]"),
        (250, "owes 250, not 2500", "owes [hidden], not 2500"),
        (None, "none", "none"),
        (True, "True", "True"),
        ("x" * 101 + " word", "a word", "a word"),
    ],
)
def test_a_value_is_found_however_it_is_written(value: object, text: str, shown: str) -> None:
    assert clean(text, field=value) == shown


def test_nested_values_count_and_open_ones_do_not() -> None:
    record = {
        "address": {"city": "Springfield", "street": "Elm Row"},
        "cards": [{"brand": "visa", "number": "4111111111111111"}],
        "address.city": "Hidden Hollow",
    }
    own = own_values(record, frozenset({"address.city", "cards[].brand"}))
    text = "Springfield Elm Row visa 4111111111111111 Hidden Hollow"
    assert take_out(text, own) == "Springfield [hidden] visa [hidden] [hidden]"


def test_an_open_path_with_a_container_in_it_is_not_open() -> None:
    assert clean("secretive", plan={"inner": "secretive"}) == "[hidden]"
    own = own_values({"plan": {"inner": "secretive"}}, frozenset({"plan"}))
    assert own == {"secretive"}


@pytest.mark.parametrize(
    "record",
    [
        {"many": list(range(100, 1_101))},
        {"long": "x" * (MAX_TEXT + 1)},
        {"deep": [[[[[[[[["x"]]]]]]]]]},
    ],
    ids=["many", "long", "deep"],
)
def test_a_record_that_is_no_customers_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(UnmaskableError):
        own_values(record, NOTHING)


def test_text_is_compared_by_its_letters_and_digits() -> None:
    assert folded("A-ß1 é\u0301") == "ass1e"
    assert folded("O'Brien-7 ") == "obrien7"


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("xabababax", "ababa", "x[hidden]x"),
        ("hannah hannahannah.", "hannah", "[hidden] [hidden]."),
        ("mariamaria", "maria", "[hidden][hidden]"),
        ("a" * 600 + "b", "a" * 300, "[hidden]b"),
        ("1" * 5_000, "11111", "[hidden]"),
        ("abcabcab abcab", "abcab", "[hidden] [hidden]"),
        ("abcab.x.abcab", "abcab", "[hidden].x.[hidden]"),
    ],
)
def test_places_that_overlap_are_taken_out_whole(text: str, value: str, shown: str) -> None:
    assert take_out(text, frozenset({value})) == shown


def test_a_text_of_nothing_but_a_short_value_is_no_prose() -> None:
    assert take_out("ann " * 1_000, frozenset({"ann"})) == "[hidden] " * 1_000
    with pytest.raises(UnmaskableError):
        take_out("ann " * 3_000, frozenset({"ann"}))


def test_of_many_values_those_that_are_there_are_found() -> None:
    own = frozenset(f"value{n}" for n in range(500)) | {"maria"}
    assert take_out("Maria and value7.", own) == "[hidden] and [hidden]."
    assert take_out("Nobody here.", own) == "Nobody here."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Straße \ufb01 Maria é ﷺ Maria", "Straße \ufb01 [hidden] é ﷺ [hidden]"),
        ("é,\nMa_ri\na.", "é,\n[hidden]."),
        ("한글Maria", "한글[hidden]"),
        ("\u0344" * 40_000 + "maria", "\u0308\u0301" * 40_000 + "[hidden]"),
    ],
    ids=["wide", "narrow", "syllables", "longer than any index"],
)
def test_a_value_is_cut_where_it_stands_among_characters_of_any_width(
    text: str, shown: str
) -> None:
    assert take_out(unicodedata.normalize("NFC", text), frozenset({"maria"})) == (
        unicodedata.normalize("NFC", shown)
    )


def test_a_value_of_stacked_marks_is_folded_in_linear_time() -> None:
    started = time.process_time()
    assert own_values({"odd": "maria" + "\u0301\u0323" * 16_000}, NOTHING) == {"maria"}
    assert time.process_time() - started < 0.3


def test_a_text_of_nothing_but_ligatures_is_no_prose() -> None:
    assert take_out("\ufdfa maria", frozenset({"maria"})) == "\ufdfa [hidden]"
    with pytest.raises(UnmaskableError):
        take_out("\ufdfa" * 20_000, frozenset({"maria"}))
