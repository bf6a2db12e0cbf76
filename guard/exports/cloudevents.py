"""Entries as CloudEvents 1.0 in structured JSON, one a line.

`id` is the entry's id: whoever gets an event twice knows it by that. `data` is the object that the
NDJSON file has.
"""

import msgspec

from guard.exports.encoder import Source
from guard.exports.ndjson import ndjson_object
from guard.exports.row import KIND_NAMES, ExportRow, stamp

_encode = msgspec.json.Encoder().encode


class CloudEventWriter:
    """Renders for one log."""

    def __init__(self, source: Source) -> None:
        """Be the source that the log's origin names."""
        self._source = _encode(f"//{source.origin}")

    def line(self, row: ExportRow) -> bytes:
        """One event on a line of its own."""
        return self.event(row) + b"\n"

    def event(self, row: ExportRow) -> bytes:
        """One event."""
        return (
            b'{"specversion":"1.0","id":"%s","source":%s,"type":"recordguard.entry.%s",'
            b'"subject":"%d","time":"%s","datacontenttype":"application/json","data":%s}'
        ) % (
            row.entry_id.encode(),
            self._source,
            KIND_NAMES[row.kind].encode(),
            row.index,
            stamp(row.at).encode(),
            ndjson_object(row),
        )
