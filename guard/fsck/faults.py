"""What a deep check found, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

# Faults that are kept and printed; a store that was overwritten has one for each row.
MOST = 1_000

Progress = Callable[[int], None]


class Remedy(StrEnum):
    """What to do about a fault."""

    LEAF = "put the published leaf back; a mirror of the log has it"
    ROW = "restore the row from a backup or a replica"
    FILE = "restore the file from a mirror, or write it anew from a store that holds"
    KEY = "restore the keyring from its newest backup"
    MARK = "stop signing, and compare the log with its witnesses and mirrors"
    REMOVE = "find out who wrote the row, then remove it"
    HEAD = "restore the row: it follows from the entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that does not hold: the table or file, the entry it is about, what, what to do."""

    table: str
    index: int | None
    what: str
    remedy: Remedy

    def __str__(self) -> str:
        """As one line."""
        place = self.table if self.index is None else f"{self.table} {self.index}"
        return f"{place}: {self.what}; {self.remedy}"


@dataclass(slots=True)
class Faults:
    """Collects faults in the order in which they are met; beyond `MOST` it only counts."""

    found: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, table: str, index: int | None, what: str, remedy: Remedy) -> None:
        """Take one in."""
        self.count += 1
        if len(self.found) < MOST:
            self.found.append(Fault(table=table, index=index, what=what, remedy=remedy))


@dataclass(frozen=True, slots=True, kw_only=True)
class FsckReport:
    """What was looked at, and what does not hold.

    `count` may be more than the `faults` that were kept. `published` is the size of the checkpoint
    whose files were compared, None if there are none or they do not hold by themselves.
    """

    entries: int
    root: str
    pending: int
    checkpoints: int
    customers: int
    receipts: int
    erased: int
    published: int | None
    faults: tuple[Fault, ...]
    count: int
