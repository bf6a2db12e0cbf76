"""The rows of an uploaded work list, read one line at a time.

A row names a customer by reference (`customer`) or by its key in a source (`source` and
`source_key`). CSV has a header that says which; NDJSON has one object a line. Whatever arrives, a
reader holds one line at most, and a row that cannot be read is told by its line number and a rule,
never by its content.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from guard.errors import InvalidRequestError

# A reference has 23 characters, a source key at most 200, and JSON may escape each as six.
LONGEST_LINE = 4096
MAX_WORD = 200
_BOM = b"\xef\xbb\xbf"
_HEADERS = (("customer",), ("source", "source_key"))


class Fault(StrEnum):
    """Why a row was left out."""

    UNREADABLE = "unreadable"
    TOO_LONG = "too_long"
    UNKNOWN_CUSTOMER = "unknown_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One customer: by reference, or by source and key."""

    line: int
    customer: str | None = None
    source: str = ""
    source_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that is left out; `line` counts from 1, the header included."""

    line: int
    fault: Fault


class Reader(Protocol):
    """*Protocol* of reading the lines of one format."""

    def read(self, line: int, text: str) -> ListRow | BadRow | None:
        """Read one line; None: it holds no row.

        Raises:
            InvalidRequestError: The header names other columns.
        """
        ...


class CsvReader:
    """CSV as RFC 4180 writes it, one row a line, with a header."""

    def __init__(self) -> None:
        """Wait for the header."""
        self._columns: tuple[str, ...] | None = None

    def read(self, line: int, text: str) -> ListRow | BadRow | None:
        """See `Reader.read`."""
        try:
            (cells,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError):
            cells = []
        if self._columns is None:
            self._columns = _header(cells)
            return None
        if len(cells) != len(self._columns):
            return BadRow(line=line, fault=Fault.UNREADABLE)
        return _row(line, dict(zip(self._columns, cells, strict=True)))


class NdjsonReader:
    """One JSON object a line, with the names of the CSV's columns."""

    def read(self, line: int, text: str) -> ListRow | BadRow | None:
        """See `Reader.read`."""
        try:
            named = msgspec.json.decode(text, type=dict[str, str])
        except msgspec.MsgspecError:
            return BadRow(line=line, fault=Fault.UNREADABLE)
        return _row(line, named)


class Lines:
    """Cuts pieces of a body, however they fall, into lines and has each read."""

    def __init__(self, reader: Reader) -> None:
        """Start before the first line."""
        self._reader = reader
        self._rest = b""
        self._line = 0
        self._skips = False

    def feed(self, piece: bytes) -> Iterator[ListRow | BadRow]:
        """The rows that `piece` completes."""
        *whole, rest = piece.split(b"\n")
        for end in whole:
            yield from self._complete(end)
        self._keep(rest)

    def finish(self) -> Iterator[ListRow | BadRow]:
        """The last row, if no line break ends it."""
        if self._rest or self._skips:
            yield from self._complete(b"")

    def _keep(self, rest: bytes) -> None:
        """Hold the start of a line; of one that is too long nothing but that it was."""
        if self._skips or len(self._rest) + len(rest) > LONGEST_LINE:
            self._rest, self._skips = b"", True
        else:
            self._rest += rest

    def _complete(self, end: bytes) -> Iterator[ListRow | BadRow]:
        self._keep(end)
        self._line += 1
        raw, skips = self._rest, self._skips
        self._rest, self._skips = b"", False
        if skips:
            yield BadRow(line=self._line, fault=Fault.TOO_LONG)
            return
        if self._line == 1:
            raw = raw.removeprefix(_BOM)
        try:
            text = raw.decode().removesuffix("\r")
        except UnicodeDecodeError:
            yield BadRow(line=self._line, fault=Fault.UNREADABLE)
            return
        if text.strip():
            row = self._reader.read(self._line, text)
            if row is not None:
                yield row


def _header(cells: list[str]) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    if tuple(sorted(columns)) not in _HEADERS:
        raise InvalidRequestError(
            "the first line must name the columns: `customer`, or `source` and `source_key`"
        )
    return columns


def _row(line: int, named: dict[str, str]) -> ListRow | BadRow:
    words = tuple(named.values())
    if tuple(sorted(named)) not in _HEADERS or not all(map(_is_word, words)):
        return BadRow(line=line, fault=Fault.UNREADABLE)
    if "customer" in named:
        return ListRow(line=line, customer=named["customer"])
    return ListRow(line=line, source=named["source"], source_key=named["source_key"])


def _is_word(text: str) -> bool:
    return 0 < len(text) <= MAX_WORD and text.isprintable()
