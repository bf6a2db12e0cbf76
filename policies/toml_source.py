"""TOML that remembers its lines, so that every complaint about a bundle can point at one.

`tomllib` drops positions once a file parses; what is wrong with a value is found out later. Here
the text is kept beside the values and a line is found again by its key or by its place in an array.
"""

import re
import tomllib
from dataclasses import dataclass
from typing import Never

from policies.errors import BundleError

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def decode(content: bytes, file: str) -> str:
    """Decode a file of a bundle.

    Raises:
        BundleError: It is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BundleError(file, line, "not UTF-8: save the file as UTF-8") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlSource:
    """A parsed TOML file with its name and text."""

    file: str
    text: str
    root: dict[str, object]

    @classmethod
    def parse(cls, content: bytes, file: str) -> "TomlSource":
        """Parse a file.

        Raises:
            BundleError: It is not UTF-8 or not TOML.
        """
        text = decode(content, file)
        try:
            root = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            place = _TOML_PLACE.search(message)
            line = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
            message = _TOML_PLACE.sub("", message[0].lower() + message[1:])
            raise BundleError(file, line, f"not valid TOML: {message}") from error
        return cls(file=file, text=text, root=root)

    def line_of_key(self, key: str) -> int:
        """The first line that assigns `key`, quoted or not; 1 if there is none."""
        pattern = rf"""^\s*["']?{re.escape(key)}["']?\s*="""
        return self._line_of(pattern, 0)

    def line_of_item(self, array: str, position: int) -> int:
        """The line of the `[[array]]` header with this 0-based position; 1 if there is none."""
        return self._line_of(rf"^\s*\[\[\s*{re.escape(array)}\s*\]\]", position)

    def _line_of(self, pattern: str, position: int) -> int:
        hits = list(re.finditer(pattern, self.text, re.MULTILINE))
        if position >= len(hits):
            return 1
        # The match may begin with blank lines, which `\s*` takes along: its end is what counts.
        return self.text.count("\n", 0, hits[position].end()) + 1

    def fail(self, line: int, message: str) -> Never:
        """Raise a BundleError about this file."""
        raise BundleError(self.file, line, message)

    def expect_keys(self, table: dict[str, object], allowed: frozenset[str], line: int) -> None:
        """Refuse keys that mean nothing: a typing error must not silently loosen a rule.

        Raises:
            BundleError: There is an unknown key.
        """
        for key in table:
            if key not in allowed:
                names = ", ".join(sorted(allowed))
                self.fail(line, f"unknown key `{key}`: use one of {names}")

    def items(self, array: str) -> list[tuple[int, dict[str, object]]]:
        """The tables of a `[[array]]` with their lines; none when the array is absent.

        Raises:
            BundleError: It is there and is not an array of tables.
        """
        value = self.root.get(array, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(self.line_of_key(array), f"`{array}` must be written as `[[{array}]]` tables")
        return [(self.line_of_item(array, place), item) for place, item in enumerate(value)]
