r"""Entries as syslog messages (RFC 5424), framed by their length (RFC 5425).

A frame is the length in octets, a space and the message, so that nothing inside can end it. All
that is told stands in one structured-data element; in a value `"`, `\` and `]` are escaped, and
control characters become spaces for the sake of those receivers that cut at them.
"""

from guard.entries import Outcome
from guard.exports.encoder import Source
from guard.exports.row import KIND_NAMES, ExportRow, stamp
from guard.exports.told import one_line, told

# Facility 13 is the log audit.
_FACILITY = 13
_NOTICE, _INFORMATIONAL = 5, 6

# RFC 5612 sets this number aside for those who have none of their own.
SD_ID = "recordguard@32473"

_MAX_HOST, _MAX_MSGID = 255, 32
_VALUE = str.maketrans({'"': '\\"', "\\": "\\\\", "]": "\\]"})
_PRINTABLE = range(33, 127)


class SyslogWriter:
    """Renders for one log."""

    def __init__(self, source: Source) -> None:
        """Be the host that the log's origin names."""
        self._host = name_text(source.origin, _MAX_HOST)

    def line(self, row: ExportRow) -> bytes:
        """One framed message."""
        message = self.message(row)
        return b"%d %s" % (len(message), message)

    def message(self, row: ExportRow) -> bytes:
        """One message without its frame."""
        found = told(row)
        values = " ".join(f'{name}="{param_text(text)}"' for name, text in found.items())
        is_refused = found.get("outcome") == Outcome.REFUSED
        return self._header(row, is_refused=is_refused) + f"[{SD_ID} {values}]".encode()

    def around(self, row: ExportRow, text: bytes) -> bytes:
        """One framed message that carries `text` of another format."""
        message = self._header(row, is_refused=False) + b"- " + text.rstrip(b"\n")
        return b"%d %s" % (len(message), message)

    def _header(self, row: ExportRow, *, is_refused: bool) -> bytes:
        priority = _FACILITY * 8 + (_NOTICE if is_refused else _INFORMATIONAL)
        kind = name_text(KIND_NAMES[row.kind], _MAX_MSGID)
        return f"<{priority}>1 {stamp(row.at)} {self._host} recordguard - {kind} ".encode()


def param_text(text: str) -> str:
    """A text for the value of a parameter."""
    return one_line(text).translate(_VALUE)


def name_text(text: str, longest: int) -> str:
    """A text for a place in the header: printable ASCII without spaces, `-` for nothing."""
    return "".join(c for c in text if ord(c) in _PRINTABLE)[:longest] or "-"
