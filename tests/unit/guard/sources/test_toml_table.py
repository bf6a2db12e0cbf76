import pytest

from guard.errors import ConfigurationError
from guard.sources.toml_table import Lines, Table, read_toml

TEXT = """\
name = "x"
[a]
b = 1

[[c]]
d = 1
"quoted" = 2
[c.e]
f = 1
[[c.g]]
[[c.g]]
h = true
[[c]]
d = 2
[c.e]
f = 2
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("a",), 2),
        (("a", "b"), 3),
        (("a", "unknown"), 2),
        (("c", 0), 5),
        (("c", 0, "quoted"), 7),
        (("c", 0, "e", "f"), 9),
        (("c", 0, "g", 1, "h"), 12),
        (("c", 1, "d"), 14),
        (("c", 1, "e", "f"), 16),
        (("unknown",), 1),
    ],
)
def test_every_name_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert Lines(TEXT).of(path) == line


def table(text: str) -> Table:
    return read_toml(text.encode(), "m.toml")


def test_values_come_by_their_kind() -> None:
    read = table('t = "x"\nn = 5\nf = true\n[below]\nx = "y"\n[[many]]\n[[many]]\n')
    assert read.text("t") == "x"
    assert read.text("absent", "d") == "d"
    assert read.text("none", "") == ""
    assert read.number("n", 1, 0, 9) == 5
    assert read.number("absent", 1, 0, 9) == 1
    assert read.flag("f", default=False)
    assert read.has("t")
    assert not read.has("absent")
    assert read.is_table("below")
    assert not read.is_table("t")
    assert read.table("below").names() == ["x"]
    assert read.table("absent").names() == []
    assert len(read.tables("many")) == 2
    read.done()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nt = 5", "m.toml:2: `t` must be a text in quotes"),
        ('t = ""', "m.toml:1: `t` is empty"),
        ("u = 5", "m.toml:1: `t` is missing"),
    ],
)
def test_a_text_that_is_none_names_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        table(text).text("t")


@pytest.mark.parametrize("value", ["true", "10", "-1"])
def test_a_number_out_of_its_range_is_refused(value: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"m\.toml:1: `n` must be a whole number from 0 to 9"
    ):
        table(f"n = {value}").number("n", 1, 0, 9)


def test_lists_that_are_not_of_tables_are_refused() -> None:
    for text in ("many = 5", "many = [5]"):
        with pytest.raises(ConfigurationError, match=r"m\.toml:1: `many` must be written as"):
            table(text).tables("many")


def test_a_setting_that_nobody_asked_for_is_refused() -> None:
    read = table('name = "x"\nnmae = "y"')
    read.text("name")
    with pytest.raises(
        ConfigurationError, match=r"m\.toml:2: unknown setting `nmae`, known .* `name`"
    ):
        read.done()


def test_text_that_is_not_toml_names_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"m\.toml:2: not TOML: "):
        table("a = 1\nb = = 2\nc = 3")
    with pytest.raises(ConfigurationError, match=r"m\.toml:1: not TOML: "):
        table('a = "')
    with pytest.raises(ConfigurationError, match=r"m\.toml: not UTF-8"):
        read_toml(b"\xff", "m.toml")
