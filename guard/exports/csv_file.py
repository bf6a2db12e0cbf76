"""Entries as CSV (RFC 4180), safe to open in a spreadsheet.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, quoted or not. So by
default every line of every cell that could begin one gets an apostrophe in front. That changes data
(`+7 900` becomes `'+7 900`), and so `CellGuard.RAW` exists for machines; the manifest records which
was used.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import StringIO

from guard.entries import OpenedEntry
from guard.exports.columns import COLUMNS, rows

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

# The start of a line that a spreadsheet could run, after the spaces that it skips. The full-width
# forms are taken for the same in some languages; a leading line break hides what follows it.
_FORMULA_START = re.compile(
    "(?:\\A|(?<=[\r\n]))(?=[ \u00a0]*[-=+@\t\0\uff1d\uff0b\uff0d\uff20])|\\A(?=[ \u00a0]*[\r\n])"
)


class CellGuard(StrEnum):
    """What happens to a cell that a spreadsheet could run."""

    FORMULAS = "formulas"
    RAW = "raw"


def guard_cell(text: str) -> str:
    """Put an apostrophe before each line that a spreadsheet could run as a formula."""
    return _FORMULA_START.sub("'", text)


def _as_is(text: str) -> str:
    return text


def csv_lines(
    entries: Iterable[OpenedEntry], cells: CellGuard = CellGuard.FORMULAS
) -> Iterator[bytes]:
    """A header, then the rows of each entry, one at a time."""
    guarded = guard_cell if cells is CellGuard.FORMULAS else _as_is
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    yield _taken(buffer)
    for entry in entries:
        for row in rows(entry):
            writer.writerow([guarded(cell) for cell in row])
            yield _taken(buffer)


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
