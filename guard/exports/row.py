"""One entry on its way into a file: what every format renders.

It holds the exact bytes of the opened parts. A format that only passes them on (NDJSON) never
parses them, which is most of the cost of an export; the others ask for `event` and `people`, once.
A file without customers has rows without references.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from guard.clock import HOUR, MINUTE, SECOND, Micros, to_rfc3339
from guard.entries import EntryKind, EventPart, SubjectPart

KIND_NAMES = {kind: kind.name.lower() for kind in EntryKind}

_event = msgspec.json.Decoder(EventPart).decode
_subject = msgspec.json.Decoder(SubjectPart).decode


class ExportRow(msgspec.Struct, frozen=True, gc=False):
    """One opened entry; an erased subject part is None."""

    index: int
    entry_id: str
    kind: EntryKind
    at: Micros
    part: bytes
    refs: tuple[str, ...] = ()
    parts: tuple[bytes | None, ...] = ()

    @property
    def event(self) -> EventPart:
        """The event part, parsed at every call."""
        return _event(self.part)

    @property
    def people(self) -> tuple[SubjectPart | None, ...]:
        """The subject parts, parsed at every call."""
        return tuple(None if part is None else _subject(part) for part in self.parts)


def named(rows: Iterable[ExportRow]) -> frozenset[str]:
    """Everybody whom some rows name, erased or not."""
    return frozenset(ref for row in rows for ref in row.refs)


def opened(rows: Iterable[ExportRow]) -> frozenset[str]:
    """Everybody of whom some rows hold more than the reference."""
    return frozenset(
        ref
        for row in rows
        for ref, part in zip(row.refs, row.parts, strict=True)
        if part is not None
    )


# Entries come in order of time: many share an hour, and rendering one costs as much as a cipher.
@lru_cache(maxsize=256)
def _hour(hour: int) -> str:
    return to_rfc3339(hour * HOUR)[: len("2025-01-01T00:")]


def stamp(at: Micros) -> str:
    """`to_rfc3339`, for who renders very many times."""
    minute, rest = divmod(at % HOUR, MINUTE)
    second, micros = divmod(rest, SECOND)
    return f"{_hour(at // HOUR)}{minute:02d}:{second:02d}.{micros:06d}Z"
