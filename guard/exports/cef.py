r"""Entries in the Common Event Format, one a line.

In the header a backslash and a bar are escaped, in the extension a backslash, an equals sign and a
line break (as `\n`). All other control characters become spaces, so that nothing that somebody
typed can end a field or a line.
"""

from guard.entries import Outcome
from guard.exports.encoder import Source
from guard.exports.row import ExportRow
from guard.exports.told import one_line, told

# Of CEF's 0 to 10: a look at a record, one that failed, one that was refused.
_SEVERITIES = {Outcome.REFUSED.value: 5, Outcome.FAILED.value: 4}
_ORDINARY = 3

# Where each text goes; a custom field says what it is by a label of its own.
_KEYS = {
    "id": "externalId",
    "kind": "act",
    "outcome": "outcome",
    "agent": "suser",
    "role": "spriv",
    "client": "sourceServiceName",
    "device": "deviceExternalId",
    "reasons": "reason",
    "index": "cn1",
    "customers": "cs1",
    "cases": "cs2",
    "purpose": "cs3",
    "link": "cs4",
    "team": "cs5",
    "vendor": "cs6",
}
_LABELLED = frozenset({"cn1", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6"})
_HEADER = str.maketrans({"\\": "\\\\", "|": "\\|"})
_VALUE = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})


class CefWriter:
    """Renders for one log."""

    def __init__(self, source: Source) -> None:
        """Name the log and the product's version in every event."""
        self._begin = f"CEF:0|Recordguard|Recordguard|{header_text(source.version)}"
        self._host = value_text(source.origin)

    def line(self, row: ExportRow) -> bytes:
        """One event."""
        found = told(row)
        kind = header_text(found["kind"])
        severity = _SEVERITIES.get(found.get("outcome", ""), _ORDINARY)
        pairs = [f"rt={row.at // 1000}", f"dvchost={self._host}"]
        for name, key in _KEYS.items():
            if name in found:
                pairs.append(f"{key}={value_text(found[name])}")
                if key in _LABELLED:
                    pairs.append(f"{key}Label={name}")
        return f"{self._begin}|{kind}|{kind}|{severity}|{' '.join(pairs)}\n".encode()


def header_text(text: str) -> str:
    """A text for a place in the header."""
    return one_line(text).translate(_HEADER)


def value_text(text: str) -> str:
    """A text for the value of a key."""
    return one_line(text.translate(_VALUE))
