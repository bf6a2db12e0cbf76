"""What a format is: something that turns rows into the bytes of a file, a chunk at a time.

A format is one file in this folder and one line in `guard.exports.formats`; the tests of all of
them are one suite. The bytes of a file depend on its rows and their chunks alone, so a broken
download can be gone on with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from guard.exports.row import ExportRow

# Renders one row; None: the format has no place for such an entry.
Line: TypeAlias = Callable[[ExportRow], bytes | None]


class Encoded(NamedTuple):
    """Bytes of a file, and how many records are in them."""

    content: bytes
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which log and which version of this product speak, for formats that say so."""

    origin: str
    version: str


class Encoder(Protocol):
    """*Protocol* of the writer of one file."""

    def chunk(self, rows: Sequence[ExportRow]) -> Encoded:
        """The next bytes of the file."""
        ...

    def end(self) -> Encoded:
        """The last bytes; the file is complete with them."""
        ...


class LineEncoder:
    """A file of one record after another."""

    def __init__(self, line: Line) -> None:
        """Render each row with `line`."""
        self._line = line

    def chunk(self, rows: Sequence[ExportRow]) -> Encoded:
        """See `Encoder.chunk`."""
        lines = [line for line in map(self._line, rows) if line is not None]
        return Encoded(b"".join(lines), len(lines))

    def end(self) -> Encoded:
        """See `Encoder.end`."""
        return Encoded(b"", 0)
