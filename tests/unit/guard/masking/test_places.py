import pytest

from guard.masking.places import MAX_VALUE, texts_at
from guard.rows import RawRecord

RECORD = RawRecord(
    {
        "name": " José ",
        "n": 42,
        "address": {"city": "Rome"},
        "cards": [{"number": "1"}, {"number": None}, "x", {"number": "2"}],
        "tags": ("a", "", "b"),
        "odd": {1, 2},
        "lone": "\ud800",
        "flag": True,
        "long": "x" * (MAX_VALUE + 1),
    }
)


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("name", ("José",)),
        ("n", ("42",)),
        ("address.city", ("Rome",)),
        ("cards[].number", ("1", "2")),
        ("tags[]", ("a", "b")),
        ("address.city.part", ()),
        ("address[].city", ()),
        ("address", ()),
        ("cards", ()),
        ("missing.path", ()),
        ("odd", ()),
        ("lone", ()),
        ("flag", ()),
        ("long", ()),
    ],
)
def test_the_texts_at_a_path_are_found_and_nothing_else(path: str, texts: tuple[str, ...]) -> None:
    assert texts_at(RECORD, path) == texts
