"""What a store would answer, from a list; and a writer and readers over it, without threads."""

from collections.abc import Callable
from typing import TypeVar, cast

from guard.clock import Micros
from guard.entries import StoredEntry
from guard.ledger.merkle import CompactRange
from guard.ports import Committer, Readers, ReadView, Transaction

T = TypeVar("T")


class LogView:
    """The part of `ReadView` and `UnitOfWork` that the publisher needs."""

    def __init__(self, entries: list[StoredEntry]) -> None:
        self.held = entries
        self.note: bytes | None = None
        self.forged_head: tuple[int, tuple[bytes, ...]] | None = None

    def view(self) -> ReadView:
        return cast("ReadView", self)

    def head(self) -> tuple[int, tuple[bytes, ...]]:
        if self.forged_head is not None:
            return self.forged_head
        tree = CompactRange()
        for entry in self.held:
            tree.append(entry.leaf_hash)
        return tree.size, tree.hashes

    def entries(self, start: int, limit: int) -> list[StoredEntry]:
        return self.held[start : start + limit]

    def checkpoint(self) -> bytes | None:
        return self.note

    def put_checkpoint(self, size: int, root: bytes, note: bytes, at: Micros) -> None:
        assert size >= 0
        assert len(root) == 32
        assert at > 0
        self.note = note

    @property
    def rows(self) -> "LogView":
        return self

    async def read(self, look: Callable[[ReadView], T]) -> T:
        return look(self.view())

    async def run(self, work: Callable[[Transaction], T]) -> T:
        return work(cast("Transaction", self))

    def readers(self) -> Readers:
        return cast("Readers", self)

    def committer(self) -> Committer:
        return cast("Committer", self)
