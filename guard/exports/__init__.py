"""The log in other people's formats, with a signed manifest that says what is in the file.

An export holds what entries hold: who, when, why and which customer by reference. It never holds a
field value, as no entry does. Column by column: `docs/formats/export.md`.
"""

from guard.exports.formats import ExportFormat, ExportWriter

__all__ = ["ExportFormat", "ExportWriter"]
