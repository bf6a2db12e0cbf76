"""Reading the tables of the log as they are, row by row, for who doubts them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from guard.log_rows import (
    BlockRow,
    CheckpointRow,
    DetailRow,
    EntryRow,
    HeadRow,
    LateLinkRow,
    PendingRow,
    SubjectPartRow,
)
from guard.ports.reading import ReadView


class LogTables(ReadView, Protocol):
    """*Protocol* of a snapshot that also gives the log's rows as they are, each table by itself."""

    def entry_rows(self, start: int, limit: int) -> list[EntryRow]:
        """Rows of `entry` from index `start` on, at most `limit`."""
        ...

    def detail_rows(self, start: int, end: int) -> dict[int, DetailRow]:
        """Rows of `detail_event` with indexes in [start, end)."""
        ...

    def subject_part_rows(self, start: int, end: int) -> list[SubjectPartRow]:
        """Rows of `detail_subject` with indexes in [start, end), by index and position."""
        ...

    def late_link_rows(self, start: int, end: int) -> list[LateLinkRow]:
        """Rows of `late_link` with indexes in [start, end)."""
        ...

    def strays(self, size: int) -> Mapping[str, int]:
        """By table, the first index that is below 0 or at least `size`, where there is one."""
        ...

    def head_rows(self) -> list[HeadRow]:
        """All rows of `tree_head`; there should be one."""
        ...

    def checkpoint_rows(self) -> Iterator[CheckpointRow]:
        """All rows of `checkpoint`, the smallest first."""
        ...

    def pending_rows(self) -> Iterator[PendingRow]:
        """All rows of `pending`, in the order in which they came."""
        ...

    def subject_refs(self, after: str, limit: int) -> list[str]:
        """References of customers of all tenants behind `after`, by reference."""
        ...

    def leaves_alone(self, refs: Collection[str]) -> dict[str, list[tuple[int, bytes]]]:
        """Index and leaf of the entries that are about each of these customers alone."""
        ...

    def block_rows(self) -> list[BlockRow]:
        """All rows of `log_block`, by block."""
        ...

    def stray_terms(self) -> int | None:
        """The first block that has rows of `log_term` and none of `log_block`."""
        ...

    def standing_rows(self, table: str) -> list[Mapping[str, object]]:
        """All rows of `legal_hold`, `erasure`, `hold_back` or `dispute`, by name of column."""
        ...
