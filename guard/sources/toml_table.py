"""Reading TOML so that an error names the file and the line.

`tomllib` gives values without places. `Lines` scans the same text for headers and keys and maps
each path to its line; `Table` hands out typed values by name and refuses what nobody asked for, so
that a misspelt setting is an error and not a silent default.
"""

import re
import tomllib
from typing import NoReturn, TypeAlias, TypeVar

from guard.errors import ConfigurationError

Path: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*(?:\"([^\"]+)\"|([\w\-.]+))\s*=")


class Lines:
    """Where in a TOML text each header and key stands."""

    def __init__(self, text: str) -> None:
        """Scan `text`, which need not be valid."""
        self._at: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        table: Path = ()
        for number, line in enumerate(text.splitlines(), start=1):
            header = _HEADER.fullmatch(line)
            key = _KEY.match(line)
            if header:
                table = self._header(header[2], is_array=header[1] == "[[")
                self._at.setdefault(table, number)
            elif key:
                self._at.setdefault((*table, key[1] or key[2]), number)

    def _header(self, name: str, *, is_array: bool) -> Path:
        path: Path = ()
        parts = [part.strip().strip('"') for part in name.split(".")]
        for n, part in enumerate(parts, start=1):
            path = (*path, part)
            if is_array and n == len(parts):
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        return path

    def of(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it that has one."""
        while path and path not in self._at:
            path = path[:-1]
        return self._at.get(path, 1)


class Table:
    """One table of the file, read name by name."""

    def __init__(self, values: dict[str, object], path: Path, lines: Lines, file: str) -> None:
        """Read `values`, which stand at `path` in `file`."""
        self._values = values
        self._path = path
        self._lines = lines
        self._file = file
        self._asked: set[str] = set()

    def where(self, name: str | None = None) -> str:
        """File and line of one name, or of the table."""
        path = self._path if name is None else (*self._path, name)
        return f"{self._file}:{self._lines.of(path)}"

    def fail(self, sentence: str, name: str | None = None) -> NoReturn:
        """Raise ConfigurationError with the place in front."""
        raise ConfigurationError(f"{self.where(name)}: {sentence}")

    def names(self) -> list[str]:
        """What is in the table; all of it counts as asked for."""
        self._asked.update(self._values)
        return list(self._values)

    def has(self, name: str) -> bool:
        """Whether `name` is given."""
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._value(name, default, str, "a text in quotes")
        return value if value or value == default else self.fail(f"`{name}` is empty", name)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        return self._value(name, default, bool, "true or false")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._value(name, default, int, "a whole number")
        if isinstance(value, bool) or not low <= value <= high:
            self.fail(f"`{name}` must be a whole number from {low} to {high}", name)
        return value

    def table(self, name: str) -> "Table":
        """A table below this one; empty if it is not there."""
        values: dict[str, object] = {}
        return self._below(self._value(name, values, dict, "a table"), name)

    def tables(self, name: str) -> list["Table"]:
        """A list of tables below this one; empty if it is not there."""
        empty: list[object] = []
        found = self._value(name, empty, list, f"written as `[[{name}]]`")
        return [
            self._below(item, name, n)
            if isinstance(item, dict)
            else self.fail(f"`{name}` must be written as `[[{name}]]`", name)
            for n, item in enumerate(found)
        ]

    def is_table(self, name: str) -> bool:
        """Whether `name` is given as a table."""
        return isinstance(self._values.get(name), dict)

    def done(self) -> None:
        """Refuse what was not asked for."""
        for name in self._values:
            if name not in self._asked:
                known = ", ".join(f"`{n}`" for n in sorted(self._asked))
                self.fail(f"unknown setting `{name}`, known here are {known}", name)

    def _value(self, name: str, default: T | None, kind: type[T], words: str) -> T:
        self._asked.add(name)
        value = self._values.get(name, default)
        if value is None:
            self.fail(f"`{name}` is missing")
        if not isinstance(value, kind):
            self.fail(f"`{name}` must be {words}", name)
        return value

    def _below(self, values: dict[str, object], *steps: str | int) -> "Table":
        return Table(values, (*self._path, *steps), self._lines, self._file)


def read_toml(document: bytes, file: str) -> Table:
    """Parse a file.

    Raises:
        ConfigurationError: It is not UTF-8, or not TOML.
    """
    try:
        text = document.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: not UTF-8 text, save it as UTF-8") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's sentence ends in the line and column.
        message = str(error)
        line = re.search(r"line (\d+)", message)
        place = f"{file}:{line[1]}" if line else f"{file}:{len(text.splitlines())}"
        raise ConfigurationError(f"{place}: not TOML: {message[:1].lower()}{message[1:]}") from None
    return Table(values, (), Lines(text), file)
