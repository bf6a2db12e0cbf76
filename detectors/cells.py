"""Rows of foreign tables: CSV and NDJSON files as typed cells, with errors that name the row.

A cell that is missing, null or empty is absent. No message holds a cell's content.
"""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from detectors.errors import ColumnsError, FormatError
from guard.clock import SECOND, Micros, from_rfc3339

SUFFIXES = (".csv", ".ndjson", ".jsonl")
# A line longer than this is no event; it bounds the memory that one line can cost.
LONGEST_LINE = 64 * 1024
_TRUE = frozenset({"1", "true", "yes", "y", "t"})
# Bounds that keep sums exact and times sensible, against rows that are nonsense or hostile.
LATEST_S = 253_402_300_799
MOST = 10**9


class Cells:
    """One row of one table."""

    __slots__ = ("position", "row", "source")

    def __init__(self, row: Mapping[str, object], *, source: str, position: int) -> None:
        """Wrap a row; `position` is its 0-based place in `source`."""
        self.row, self.source, self.position = row, source, position

    def wrong(self, column: str, advice: str) -> FormatError:
        """An error about one cell."""
        return FormatError(
            f"row {self.position} of `{self.source}`: column `{column}` {advice}",
            row=self.position,
        )

    def optional(self, column: str) -> str | None:
        """Text, or None where absent."""
        value = self.row.get(column)
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else str(value)

    def text(self, column: str) -> str:
        """Text that must be there."""
        value = self.optional(column)
        if value is None:
            raise self.wrong(column, "is required, fill it")
        return value

    def number(self, column: str, default: float | None = None) -> float | None:
        """A number, or `default` where absent."""
        value = self.optional(column)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            raise self.wrong(column, "is no number, write digits") from None
        if not -MOST <= number <= MOST:
            raise self.wrong(column, "is out of range, write a sensible number")
        return number

    def count(self, column: str, default: int) -> int:
        """A whole number of things, or `default` where absent."""
        number = self.number(column)
        if number is None:
            return default
        if number < 0 or number != int(number):
            raise self.wrong(column, "is no count, write a whole number from 0")
        return int(number)

    def flag(self, column: str) -> bool:
        """A yes-or-no cell; absent is no."""
        value = self.optional(column)
        return value is not None and value.lower() in _TRUE

    def moment(self, column: str) -> Micros | None:
        """A time as RFC 3339 or epoch seconds, or None where absent."""
        value = self.optional(column)
        if value is None:
            return None
        advice = "is no time, write RFC 3339 with an offset or epoch seconds"
        try:
            if value.replace(".", "", 1).isdigit():
                whole, _, part = value.partition(".")
                if int(whole) > LATEST_S:
                    raise self.wrong(column, "lies too far ahead, write epoch seconds")
                return int(whole) * SECOND + int((part + "000000")[:6])
            return from_rfc3339(value)
        except (ValueError, OverflowError):
            raise self.wrong(column, advice) from None

    def required_moment(self, column: str) -> Micros:
        """A time that must be there."""
        moment = self.moment(column)
        if moment is None:
            raise self.wrong(column, "is required, write RFC 3339 or epoch seconds")
        return moment


def rows(path: Path, *required: str) -> Iterator[Cells]:
    """The rows of a CSV or NDJSON file, one at a time.

    Raises:
        ColumnsError: The header of the CSV, or the first object, lacks `required` columns.
        FormatError: The file cannot be read as what its name says.
    """
    if path.suffix not in SUFFIXES:
        raise FormatError(
            f"`{path.name}` is neither CSV nor NDJSON, convert it (Parquet too) to one of them"
        )
    lines = _csv(path, required) if path.suffix == ".csv" else _ndjson(path)
    for position, row in enumerate(lines):
        if position == 0:
            _require(row, required, path)
        yield Cells(row, source=path.name, position=position)


def _require(found: Collection[str], required: Collection[str], path: Path) -> None:
    missing = [f"`{column}`" for column in required if column not in found]
    if missing:
        raise ColumnsError(f"`{path.name}` lacks {', '.join(missing)}, name its columns so")


def _csv(path: Path, required: Collection[str]) -> Iterator[Mapping[str, object]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            table = csv.DictReader(file)
            # Here as well as in `rows`: a header may stand alone.
            _require(table.fieldnames or (), required, path)
            for row in table:
                # A row with more cells than the header keeps the rest under None.
                yield {k: v for k, v in row.items() if isinstance(k, str)}
        except (csv.Error, UnicodeDecodeError):
            raise FormatError(f"`{path.name}` is no CSV in UTF-8, export it again") from None


def _ndjson(path: Path) -> Iterator[Mapping[str, object]]:
    with path.open("rb") as file:
        position = 0
        while line := file.readline(LONGEST_LINE + 1):
            if not line.strip():
                continue
            yield _object(line, path.name, position)
            position += 1


def _object(line: bytes, name: str, position: int) -> Mapping[str, object]:
    if len(line) > LONGEST_LINE:
        raise FormatError(f"row {position} of `{name}` is too long, split it", row=position)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        advice = "is no JSON object, write one object a line"
        raise FormatError(f"row {position} of `{name}` {advice}", row=position)
    return row
