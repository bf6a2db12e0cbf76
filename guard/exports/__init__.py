"""The log in other people's formats, with a signed manifest that says what is in the file.

An export holds what entries hold: who, when, why and which customer by reference. It never holds a
field value, as no entry does. Format by format: `docs/exports.md`, `docs/formats/export.md`.
"""

from guard.exports.csv_file import CellGuard
from guard.exports.encoder import Encoded, Encoder, Source
from guard.exports.formats import FORMATS, ExportFormat
from guard.exports.row import ExportRow

__all__ = [
    "FORMATS",
    "CellGuard",
    "Encoded",
    "Encoder",
    "ExportFormat",
    "ExportRow",
    "Source",
]
