"""Rows of what leaves: files and live pushes."""

from dataclasses import dataclass

from guard.clock import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJobRow:
    """A file of the log: what was asked for, of which tree, and how much of it has left.

    `order` is JSON of `guard.exports.order`. `before` is the index down to which entries have left.
    `sha256` is that of the whole file; empty: it is not complete.
    """

    id: str
    tenant: str
    requested_by: str
    order: str
    size: int
    root: bytes
    created_at: Micros
    before: int
    chunks: int = 0
    entries: int = 0
    octets: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChunkRow:
    """A chunk of such a file that has left."""

    job: str
    number: int
    octets: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRow:
    """Where a live push stands; `digest` is that of what the operator declared.

    One process at a time pushes: `holder`, until `held_until`.
    """

    name: str
    digest: str
    position: int
    failures: int = 0
    next_try: Micros = 0
    holder: str = ""
    held_until: Micros = 0
