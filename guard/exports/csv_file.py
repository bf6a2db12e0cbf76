"""Entries as CSV (RFC 4180), safe to open in a spreadsheet.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, quoted or not. Where
the list separator is another (`;` in many languages, or a tab), it cuts cells at that and ignores
quotes that do not open a cell. So every cell is quoted, and by default every line of a cell, and
every part of it after `;` or a tab, that could begin a formula gets an apostrophe in front. That
changes data (`+7 900` becomes `'+7 900`), and so `CellGuard.RAW` exists for machines; the manifest
records which was used.
"""

import csv
import re
from collections.abc import Sequence
from enum import StrEnum
from io import StringIO

from guard.exports.columns import COLUMNS, table_rows
from guard.exports.encoder import Encoded
from guard.exports.row import ExportRow

# The start of a line or part that a spreadsheet could run, after the spaces that it skips and the
# quotes that it takes for its own. The full-width forms are taken for the same in some languages; a
# leading line break hides what follows it.
_FORMULA_START = re.compile(
    '(?:\\A|(?<=[\r\n;\t]))(?=[ \u00a0"]*[-=+@\t\0\uff1d\uff0b\uff0d\uff20])'
    "|\\A(?=[ \u00a0]*[\r\n])"
)


class CellGuard(StrEnum):
    """What happens to a cell that a spreadsheet could run."""

    FORMULAS = "formulas"
    RAW = "raw"


def guard_cell(text: str) -> str:
    """Put an apostrophe before each line or part that a spreadsheet could run as a formula."""
    return _FORMULA_START.sub("'", text)


def _as_is(text: str) -> str:
    return text


class CsvEncoder:
    """Writes the header, then the rows of each entry."""

    def __init__(self, cells: CellGuard) -> None:
        """Begin a file."""
        self._guarded = guard_cell if cells is CellGuard.FORMULAS else _as_is
        self._has_begun = False

    def chunk(self, rows: Sequence[ExportRow]) -> Encoded:
        """See `Encoder.chunk`; the first one begins with the header, which is a record too."""
        buffer = StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        guarded = self._guarded
        table = [[guarded(cell) for cell in line] for row in rows for line in table_rows(row)]
        if not self._has_begun:
            self._has_begun = True
            table.insert(0, list(COLUMNS))
        writer.writerows(table)
        return Encoded(buffer.getvalue().encode(), len(table))

    def end(self) -> Encoded:
        """See `Encoder.end`; a file of nothing still has its header."""
        return Encoded(b"", 0) if self._has_begun else self.chunk([])
