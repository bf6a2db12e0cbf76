"""Compares signed checkpoints with the tree as it grows: those of the store and those outside."""

from collections import defaultdict
from collections.abc import Sequence

from guard.errors import ProofError
from guard.fsck.faults import Faults, Remedy
from guard.fsck.published import MARK
from guard.ledger.checkpoint import Checkpoint, open_checkpoint
from guard.ledger.merkle import CompactRange
from guard.ledger.note import VerifierKey
from guard.log_rows import CheckpointRow
from guard.ports import LogTables

TABLE = "checkpoint"


class Checkpoints:
    """Walks the rows of `checkpoint` beside the entries."""

    def __init__(
        self, view: LogTables, key: VerifierKey, kept: Sequence[Checkpoint], faults: Faults
    ) -> None:
        """Compare with the rows of `view` and with what is `kept` outside of the database."""
        self._rows, self._key, self._faults = view.checkpoint_rows(), key, faults
        self._due = next(self._rows, None)
        self._kept = defaultdict[int, list[bytes]](list)
        for one in kept:
            self._kept[one.size].append(one.root)
        self._is_known = True
        self.count, self.newest = 0, -1

    def give_up(self) -> None:
        """A leaf is missing for good: no root can be compared from here on."""
        self._is_known = False

    def reach(self, tree: CompactRange) -> None:
        """The tree has this size now."""
        while self._due is not None and self._due.size <= tree.size:
            self._check(self._due, tree)
            self._due = next(self._rows, None)
        if tree.size in self._kept:
            for root in self._kept.pop(tree.size):
                if self._is_known and root != tree.root():
                    what = f"the first {tree.size} entries do not have the root that was signed"
                    self._faults.add(MARK, tree.size, what, Remedy.MARK)

    def _check(self, row: CheckpointRow, tree: CompactRange) -> None:
        self.count += 1
        self.newest = row.size
        try:
            signed = open_checkpoint(row.note, self._key)
        except ProofError as error:
            self._faults.add(TABLE, row.size, str(error), Remedy.ROW)
            return
        if (signed.size, signed.root) != (row.size, row.root):
            what = "size or root are not what the signed note says"
            self._faults.add(TABLE, row.size, what, Remedy.ROW)
        elif self._is_known and signed.root != tree.root():
            what = f"the first {row.size} entries do not have the root that was signed"
            self._faults.add(TABLE, row.size, what, Remedy.MARK)

    def end(self, tree: CompactRange, published: int | None) -> None:
        """All entries were seen; `published` is the size of the checkpoint in the files."""
        while self._due is not None:
            self.count += 1
            self.newest = self._due.size
            what = f"{self._due.size} entries were signed and {tree.size} are left"
            self._faults.add(TABLE, self._due.size, what, Remedy.MARK)
            self._due = next(self._rows, None)
        for size in sorted(self._kept):
            what = f"{size} entries were signed and {tree.size} are left"
            self._faults.add(MARK, size, what, Remedy.MARK)
        if published is not None and self.newest < published:
            what = f"the checkpoint of {published} entries was published and its row is gone"
            self._faults.add(TABLE, published, what, Remedy.ROW)
