"""Checks what is durable and has no place in the tree yet."""

from collections import defaultdict

from guard.entries import SEARCHED
from guard.errors import ProofError
from guard.fsck.faults import Faults, Remedy
from guard.fsck.parts import Beside, PartsCheck
from guard.fsck.standing import StandingCheck
from guard.ledger.entry import Leaf, decode_leaf
from guard.ledger.merkle import leaf_hash
from guard.ledger.writers import Writers
from guard.log_rows import PendingBody, PendingRow
from guard.ports import LogTables

TABLE = "pending"

# The columns that an entry is searched by.
CLEAR = {"kind", *SEARCHED, "line"}


class PendingCheck:
    """Checks the rows of `pending` after the entries; there are few of them."""

    def __init__(
        self, view: LogTables, parts: PartsCheck, standing: StandingCheck, faults: Faults
    ) -> None:
        """Check the rows of `view`; `standing` learns of what they will say."""
        self._view, self._parts, self._faults = view, parts, faults
        self._standing = standing
        self._numbers = defaultdict[bytes, list[int]](list)
        self.tags = defaultdict[str, list[bytes]](list)
        self.leaves: dict[str, bytes] = {}
        self.count = 0

    def run(self, writers: Writers, size: int) -> None:
        """Check every row, then that no number is missing behind those in the tree."""
        for row in self._view.pending_rows():
            self.count += 1
            self._check(row, size + self.count - 1)
        for writer in sorted(self._numbers):
            known = writers.known.get(writer)
            due = 0 if known is None else known.next_seq
            for number in sorted(self._numbers[writer]):
                self._compare(writer, due, number)
                due = number + 1

    def _say(self, what: str, remedy: Remedy = Remedy.ROW) -> None:
        self._faults.add(TABLE, None, what, remedy)

    def _compare(self, writer: bytes, due: int, number: int) -> None:
        name = writer.hex()
        if number > due:
            last = "" if number == due + 1 else f" to {number - 1}"
            self._say(f"number {due}{last} of writer {name} is missing: a row was deleted")
        elif number < due:
            self._say(f"number {number} of writer {name} is there twice", Remedy.REMOVE)

    def _check(self, row: PendingRow, index: int) -> None:
        name = f"number {row.writer_seq} of writer {row.writer.hex()}"
        self._numbers[row.writer].append(row.writer_seq)
        body = row.body
        if body is None:
            self._say(f"{name} cannot be read")
            return
        leaf = self._leaf(body, name)
        if leaf is None:
            return
        if set(body.clear) != CLEAR:
            self._say(f"{name} was changed")
        columns = (row.entry_id, row.writer, row.writer_seq, row.at)
        if not columns == _named(body) == _named(leaf):
            self._say(f"{name} says another thing in its columns than in its leaf")
        before = self._faults.count
        subjects = self._view.subjects(body.refs)
        beside = Beside(
            epoch=body.epoch,
            event=body.parts[0],
            clear=body.clear,
            subjects=list(zip(body.refs, body.parts[1:], strict=False)),
        )
        event = self._parts.check(index, leaf, beside, subjects)
        if event is None:
            self._standing.lost(leaf.kind)
        else:
            self._standing.learn(None, (leaf.kind, leaf.entry_id), event, body.refs)
        if self._faults.count > before:
            self._say(f"{name} was changed: entry {index} would be made of it")
        self.leaves[leaf.entry_id.hex()] = body.leaf
        if len(body.refs) == 1:
            self.tags[body.refs[0]].append(leaf.tag)

    def _leaf(self, body: PendingBody, name: str) -> Leaf | None:
        try:
            leaf = decode_leaf(body.leaf)
        except ProofError as error:
            self._say(f"{name}: {error}")
            return None
        if leaf_hash(body.leaf) != body.leaf_hash or len(body.parts) != len(body.refs) + 1:
            self._say(f"{name} was changed")
        return leaf


def _named(one: PendingBody | Leaf) -> tuple[bytes, bytes, int, int]:
    return one.entry_id, one.writer, one.writer_seq, one.at
