"""The rows of the log's own tables, as they are: for who doubts them (`guard.fsck`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from guard.clock import Micros

# Entries of one block of the index by terms.
TERM_BLOCK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """A row of `entry`, as it is; `guard.fsck` doubts all of it."""

    index: int
    entry_id: bytes
    writer: bytes
    writer_seq: int
    leaf: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRow:
    """A row of `detail_event`; `clear` holds its search columns by name."""

    index: int
    epoch: str
    sealed: bytes | None
    clear: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectPartRow:
    """A row of `detail_subject`."""

    index: int
    position: int
    ref: str
    sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateLinkRow:
    """A row of `late_link`."""

    index: int
    tenant: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRow:
    """A row of `tree_head`."""

    id: int
    size: int
    range: bytes
    newest_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A row of `checkpoint`."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingBody:
    """What the body of a pending row says; a body that cannot be read is None."""

    entry_id: bytes
    writer: bytes
    writer_seq: int
    at: Micros
    leaf: bytes
    leaf_hash: bytes
    epoch: str
    clear: Mapping[str, str | int]
    parts: tuple[bytes, ...]
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """A row of `pending`."""

    entry_id: bytes
    writer: bytes
    writer_seq: int
    at: Micros
    body: PendingBody | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A row of `log_block`: a finished block of the index by terms, and its entries' times."""

    block: int
    high: Micros
    late: Micros
    low: Micros
