import pytest

from policies.errors import BundleError
from policies.toml_source import TomlSource, decode

TEXT = """\
# a comment about 'a.b' = 1

plain = 1
  "a.b" = 2
'c[].d' = 3

[[item]]
x = 1
  [[ item ]]
x = 2
"""


def source(text: str = TEXT) -> TomlSource:
    return TomlSource.parse(text.encode(), "some.toml")


@pytest.mark.parametrize(
    ("key", "line"), [("plain", 3), ("a.b", 4), ("c[].d", 5), ("x", 8), ("absent", 1)]
)
def test_a_key_is_found_on_its_line(key: str, line: int) -> None:
    assert source().line_of_key(key) == line


@pytest.mark.parametrize(("position", "line"), [(0, 7), (1, 9), (2, 1)])
def test_an_item_of_an_array_is_found_on_its_header(position: int, line: int) -> None:
    assert source().line_of_item("item", position) == line


def test_items_come_with_their_lines() -> None:
    assert source().items("item") == [(7, {"x": 1}), (9, {"x": 2})]
    assert source().items("absent") == []


@pytest.mark.parametrize("text", ["\nitem = 3", "\nitem = [1]"])
def test_what_is_no_array_of_tables_is_refused_on_its_line(text: str) -> None:
    with pytest.raises(BundleError, match=r"some\.toml:2: `item` must be written as"):
        source(text).items("item")


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb\n", 2), ("a = 1\na = 2\n", 2), ('a = 1\n\nb = """\n', 4)]
)
def test_broken_toml_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(BundleError, match=rf"some\.toml:{line}: not valid TOML: [^(]+$"):
        source(text)


def test_a_byte_that_is_not_utf8_is_refused_with_its_line() -> None:
    with pytest.raises(BundleError, match=r"x\.cedar:3: not UTF-8"):
        decode(b"a\nb\n\xff", "x.cedar")


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    parsed = source()
    parsed.expect_keys({"a": 1}, frozenset({"a", "b"}), 4)

    with pytest.raises(BundleError, match=r"some\.toml:4: unknown key `c`: use one of a, b"):
        parsed.expect_keys({"c": 1}, frozenset({"a", "b"}), 4)
