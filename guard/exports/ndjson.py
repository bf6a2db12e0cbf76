"""Entries as NDJSON: one object a line.

Unlike the table of `guard.exports.columns` it keeps lists and objects, and the `body` of an entry.
The parts are passed on as the bytes that the log commits to; only `at` is written anew, as a time
that people and other programs read.
"""

import msgspec

from guard.exports.row import ExportRow, stamp

_encode = msgspec.json.Encoder().encode

# How every event part of version 1 begins, as `guard.ledger.entry` writes it.
_AT = b'{"at":'


def ndjson_line(row: ExportRow) -> bytes:
    """One line."""
    return ndjson_object(row) + b"\n"


def ndjson_object(row: ExportRow) -> bytes:
    """One entry as an object: the event part's fields, then `subjects`."""
    begin = b'{"index":%d,"entry_id":"%s","at":"%s"' % (
        row.index,
        row.entry_id.encode(),
        stamp(row.at).encode(),
    )
    return b'%s%s,"subjects":[%s]}' % (begin, _rest(row.part), _subjects(row))


def _rest(part: bytes) -> bytes:
    """The fields behind `at`, with the comma before them."""
    if part.startswith(_AT):
        return part[part.index(b",", len(_AT)) : -1]
    fields = msgspec.json.decode(part)
    del fields["at"]
    return b"," + _encode(fields)[1:-1]


def _subjects(row: ExportRow) -> bytes:
    if not row.refs:
        return b""
    return b",".join(
        _encode({"customer": ref, "erased": True}) if part is None else part
        for ref, part in zip(row.refs, row.parts, strict=True)
    )
