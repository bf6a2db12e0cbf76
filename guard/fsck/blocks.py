"""Checks the index of the log by terms: its finished blocks, their times, the bits of each term.

An answer that leaves an entry out because a bit of the index was taken away looks like any other.
"""

from guard.clock import Micros
from guard.fsck.faults import Faults, Remedy
from guard.log_rows import TERM_BLOCK, BlockRow
from guard.ports import LogTables

BLOCKS, TERMS = "log_block", "log_term"


class BlocksCheck:
    """Follows the times of the entries, block by block, then compares the rows."""

    def __init__(self, view: LogTables, faults: Faults) -> None:
        """Compare the rows of `view`."""
        self._view, self._faults = view, faults
        self._due: list[BlockRow] = []
        self._size, self._high, self._late, self._low = 0, 0, 0, 0

    def see(self, index: int, at: Micros) -> None:
        """Take the next entry; behind one that is missing nothing is compared any more."""
        if index != self._size:
            return
        self._low = at if index % TERM_BLOCK == 0 else min(self._low, at)
        self._high = max(self._high, at)
        self._late = max(self._late, self._high - at)
        self._size += 1
        if self._size % TERM_BLOCK == 0:
            block = index // TERM_BLOCK
            due = BlockRow(block=block, high=self._high, late=self._late, low=self._low)
            self._due.append(due)

    def run(self, size: int) -> None:
        """Compare; the log has this size."""
        rows = self._view.block_rows()
        blocks = [row.block for row in rows]
        if blocks != list(range(len(rows))) or len(rows) > size // TERM_BLOCK:
            what = "the blocks are not the finished ones from the first on"
            self._faults.add(BLOCKS, None, what, Remedy.HEAD)
            return
        for row, due in zip(rows, self._due, strict=False):
            if row != due:
                what = "the times of the block are not those of its entries"
                self._faults.add(BLOCKS, row.block * TERM_BLOCK, what, Remedy.HEAD)
        stray = self._view.stray_terms()
        if stray is not None:
            what = "terms are there of a block that is not finished"
            self._faults.add(TERMS, stray * TERM_BLOCK, what, Remedy.HEAD)
        wrong = self._view.misindexed()
        if wrong is not None:
            what = f"the terms of the {TERM_BLOCK} entries from here on are not what they say"
            self._faults.add(TERMS, wrong, what, Remedy.HEAD)
