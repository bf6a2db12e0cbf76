"""Entries as NDJSON: one object a line, in index order as they come.

Unlike the table of `guard.exports.columns` it keeps lists and objects, and the `body` of an entry.
"""

from collections.abc import Iterable, Iterator

import msgspec

from guard.clock import to_rfc3339
from guard.entries import OpenedEntry

MEDIA_TYPE = "application/x-ndjson"


def record(entry: OpenedEntry) -> dict[str, object]:
    """One entry as a plain object: the event part's fields, then `subjects`."""
    event = msgspec.to_builtins(entry.event)
    event.update(
        at=to_rfc3339(entry.event.at),
        kind=entry.kind.name.lower(),
        charges=[
            {"key": one.key, "measure": one.measure, "amount": one.amount}
            for one in entry.event.charges
        ],
    )
    subjects = [
        {"customer": ref, "erased": True} if part is None else msgspec.to_builtins(part)
        for ref, part in zip(entry.refs, entry.subjects, strict=True)
    ]
    return {"index": entry.index, "entry_id": entry.entry_id, **event, "subjects": subjects}


def ndjson(entries: Iterable[OpenedEntry]) -> Iterator[bytes]:
    """One line for each entry."""
    for entry in entries:
        yield msgspec.json.encode(record(entry)) + b"\n"
