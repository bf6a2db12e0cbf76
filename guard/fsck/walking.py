"""Walks the entries of a store in order, each row of each table at its place."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence

from guard.clock import Micros
from guard.entries import EntryKind, EventPart
from guard.errors import ProofError
from guard.fsck.blocks import BlocksCheck
from guard.fsck.checkpoints import Checkpoints
from guard.fsck.faults import Faults, Progress, Remedy
from guard.fsck.parts import EVENTS, SUBJECTS, Beside, PartsCheck
from guard.fsck.published import Mirror
from guard.fsck.standing import StandingCheck
from guard.ledger.entry import Leaf, decode_leaf
from guard.ledger.merkle import CompactRange, leaf_hash
from guard.ledger.writers import Writers
from guard.log_rows import DetailRow, EntryRow, SubjectPartRow
from guard.ports import LogTables
from guard.rows import SubjectRow

ENTRIES = "entry"
LATE_LINKS = "late_link"

# Entries held at a time, with all their parts.
PAGE = 1_000


class Walk:
    """One pass over all entries; afterwards it knows the tree, the writers and their keys."""

    def __init__(
        self, view: LogTables, parts: PartsCheck, mirror: Mirror | None, faults: Faults
    ) -> None:
        """Read `view`; where there is a `mirror`, its leaves are the right ones."""
        self._view, self._parts, self._mirror, self._faults = view, parts, mirror, faults
        self.tree, self.writers = CompactRange(), Writers(may_have_gaps=True)
        self.blocks, self.standing = BlocksCheck(view, faults), StandingCheck(view, faults)
        self.newest_at: Micros = 0
        self.writer_keys: dict[bytes, str] = {}
        self._linked = array("q")

    def run(self, checkpoints: Checkpoints, on_progress: Progress) -> None:
        """Check every entry, and the signed roots on the way."""
        checkpoints.reach(self.tree)
        while rows := self._view.entry_rows(self.tree.size, PAGE):
            end = rows[-1].index + 1
            details = self._view.detail_rows(self.tree.size, end)
            parts = defaultdict[int, list[SubjectPartRow]](list)
            for part in self._view.subject_part_rows(self.tree.size, end):
                parts[part.index].append(part)
            refs = {part.ref for held in parts.values() for part in held}
            customers = self._view.subjects(refs)
            for row in rows:
                self._skip_to(row.index, checkpoints)
                held = parts.pop(row.index, [])
                self._check(row, details.pop(row.index, None), held, customers)
                checkpoints.reach(self.tree)
            for table, left in ((EVENTS, details), (SUBJECTS, parts)):
                for index in sorted(left):
                    self._faults.add(table, index, "the row has no entry", Remedy.REMOVE)
            on_progress(self.tree.size)
        for table, index in sorted(self._view.strays(self.tree.size).items()):
            self._faults.add(table, index, "the row has no entry", Remedy.REMOVE)
        for untold in self.writers.untold:
            self._faults.add(ENTRIES, untold.index, str(untold), Remedy.LEAF)

    def _skip_to(self, index: int, checkpoints: Checkpoints) -> None:
        """Say which entries are missing, and go on behind them with the published leaves."""
        first = self.tree.size
        if index > first:
            last = "" if index == first + 1 else f" to {index - 1}"
            what = f"entry {first}{last} is missing"
            self._faults.add(ENTRIES, first, what, Remedy.LEAF)
        while self.tree.size < index:
            leaf = None if self._mirror is None else self._mirror.leaf(self.tree.size)
            if leaf is None:
                checkpoints.give_up()
            self.tree.append(leaf_hash(leaf or b""))
            checkpoints.reach(self.tree)
            if leaf is not None:
                # Its writer goes on behind it: the missing entry has been told already.
                self._follow(decode_leaf(leaf), self.tree.size - 1)

    def _check(
        self,
        row: EntryRow,
        detail: DetailRow | None,
        held: Sequence[SubjectPartRow],
        customers: dict[str, SubjectRow],
    ) -> None:
        index = row.index
        leaf = self._leaf(row)
        if leaf is None:
            return
        self._follow(leaf, index)
        self.newest_at = max(self.newest_at, leaf.at)
        self.blocks.see(index, leaf.at)
        if detail is None:
            self.standing.lost(leaf.kind)
            self._faults.add(EVENTS, index, "the row was lost", Remedy.ROW)
            return
        if [part.position for part in held] != list(range(len(held))):
            self._faults.add(SUBJECTS, index, "a part is missing or moved", Remedy.ROW)
        beside = Beside(
            epoch=detail.epoch,
            event=detail.sealed,
            clear=detail.clear,
            subjects=[(part.ref, part.sealed) for part in held],
        )
        event = self._parts.check(index, leaf, beside, customers)
        if event is None:
            self.standing.lost(leaf.kind)
        else:
            refs = [part.ref for part in held]
            self.standing.learn(index, (leaf.kind, leaf.entry_id), event, refs)
            self._learn(leaf, event)

    def _leaf(self, row: EntryRow) -> Leaf | None:
        """The right leaf of a row, after comparing the row with it."""
        index, right = row.index, row.leaf
        published = None if self._mirror is None else self._mirror.leaf(index)
        if published is not None:
            right = published
            if row.leaf != published:
                self._faults.add(ENTRIES, index, "the leaf is not the published one", Remedy.LEAF)
        elif leaf_hash(row.leaf) != row.leaf_hash:
            self._faults.add(ENTRIES, index, "the leaf was changed", Remedy.LEAF)
        hashed = leaf_hash(right)
        self.tree.append(hashed)
        if published is not None and hashed != row.leaf_hash:
            self._faults.add(ENTRIES, index, "the leaf hash was changed", Remedy.LEAF)
        try:
            leaf = decode_leaf(right)
        except ProofError as error:
            self._faults.add(ENTRIES, index, str(error), Remedy.LEAF)
            return None
        for name in ("entry_id", "writer", "writer_seq"):
            if getattr(row, name) != getattr(leaf, name):
                what = f"column `{name}` is not what the leaf says"
                self._faults.add(ENTRIES, index, what, Remedy.ROW)
        return leaf

    def _follow(self, leaf: Leaf, index: int) -> None:
        try:
            self.writers.follow(index, leaf)
        except ProofError as error:
            self._faults.add(ENTRIES, index, str(error), Remedy.LEAF)

    def _learn(self, leaf: Leaf, event: EventPart) -> None:
        """Keep what later checks need of an entry."""
        if leaf.kind is EntryKind.WRITER_OPEN:
            self.writer_keys[leaf.writer] = str(event.body.get("key", ""))
        if leaf.kind is EntryKind.LATE_LINK:
            self._check_late_link(event)

    def _check_late_link(self, event: EventPart) -> None:
        index = event.body.get("index")
        if not isinstance(index, int):
            return
        self._linked.append(index)
        rows = self._view.late_link_rows(index, index + 1)
        if [(row.tenant, row.link) for row in rows] != [(event.tenant, event.body.get("link"))]:
            what = "the row is not what the late link's entry says"
            self._faults.add(LATE_LINKS, index, what, Remedy.ROW)

    def check_late_links(self) -> None:
        """No view is shown as repaired that no entry repaired."""
        known = set(self._linked)
        for start in range(0, self.tree.size, PAGE):
            for row in self._view.late_link_rows(start, start + PAGE):
                if row.index not in known:
                    what = "no entry says that a late case repaired this view"
                    self._faults.add(LATE_LINKS, row.index, what, Remedy.REMOVE)

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Index and stored leaf of every entry, once more."""
        start = 0
        while rows := self._view.entry_rows(start, PAGE):
            for row in rows:
                yield row.index, row.leaf
            start = rows[-1].index + 1
