"""The formats that an export can be asked in, and the writer that makes a file in chunks."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice

from guard.entries import OpenedEntry
from guard.exports.csv_file import CellGuard, csv_lines
from guard.exports.manifest import Tally
from guard.exports.ndjson import ndjson


class ExportFormat(StrEnum):
    """What `POST /v1/exports` and `guard export` give."""

    NDJSON = "ndjson"
    CSV = "csv"


class ExportWriter:
    """Writes one file, chunk by chunk, and keeps its tally."""

    def __init__(self, fmt: ExportFormat) -> None:
        """Begin a file; spreadsheets are guarded against formulas."""
        self.format, self.tally = fmt, Tally()
        self.cells = CellGuard.FORMULAS if fmt is ExportFormat.CSV else None
        self._has_begun = False

    def chunk(self, entries: Sequence[OpenedEntry]) -> bytes:
        """The next bytes of the file; the first chunk of a CSV begins with its header."""
        return b"".join(self.tally.through(self._records(entries)))

    def _records(self, entries: Sequence[OpenedEntry]) -> Iterator[bytes]:
        if self.cells is None:
            return ndjson(entries)
        skipped = 1 if self._has_begun else 0
        self._has_begun = True
        return islice(csv_lines(entries, self.cells), skipped, None)
