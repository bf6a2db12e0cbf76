"""Checks that every customer's numbers are there without a gap, under that customer."""

from collections.abc import Mapping, Sequence

from guard.errors import GuardError
from guard.fsck.faults import Faults, Remedy
from guard.fsck.parts import SUBJECTS
from guard.fsck.walking import ENTRIES, Walk
from guard.ledger.entry import TAG_SIZE
from guard.ports import DetailVault, LogTables
from guard.rows import SubjectRow

TABLE = "subject"

# Customers looked at by one statement.
PAGE = 200

# Missing numbers that are looked for in the whole log.
_SOUGHT = 1_000

# How far a counter that was turned back is followed.
_BEYOND = 8

_TAG_AT = 42


class CustomersCheck:
    """Compares the tags under each customer with those that the customer's key makes."""

    def __init__(self, view: LogTables, vault: DetailVault, faults: Faults) -> None:
        """Make tags with `vault`."""
        self._view, self._vault, self._faults = view, vault, faults
        self._sought: dict[bytes, str] = {}
        self.count = 0

    def run(self, pending: Mapping[str, Sequence[bytes]], walk: Walk) -> None:
        """Check every customer; `pending` are the tags that have no place yet, by reference."""
        after = ""
        while refs := self._view.subject_refs(after, PAGE):
            rows = self._view.subjects(refs)
            for ref, held in self._view.leaves_alone(refs).items():
                self.count += 1
                row = rows[ref]
                if row.wrapped_key is not None:
                    placed = [(index, leaf[_TAG_AT : _TAG_AT + TAG_SIZE]) for index, leaf in held]
                    self._check(row, [*placed, *((None, tag) for tag in pending.get(ref, ()))])
            after = refs[-1]
        if self._sought:
            self._seek(walk)

    def _check(self, row: SubjectRow, held: Sequence[tuple[int | None, bytes]]) -> None:
        try:
            due = {self._vault.tag(row, n): n for n in range(row.next_n)}
            beyond = {self._vault.tag(row, row.next_n + k) for k in range(_BEYOND)}
        except GuardError as error:
            self._faults.add(TABLE, None, f"key of customer `{row.ref}`: {error}", Remedy.KEY)
            return
        places: dict[int, int | None] = {}
        for index, tag in held:
            n = due.get(tag)
            if tag in beyond:
                what = f"customer `{row.ref}` counts {row.next_n} entries, and this is a later one"
                self._faults.add(TABLE, index, what, Remedy.ROW)
            elif n is None:
                what = "the entry is listed under a customer whose tag it does not bear"
                self._faults.add(SUBJECTS, index, what, Remedy.ROW)
            else:
                places[n] = index
        for tag, n in due.items():
            if n not in places:
                self._sought[tag] = _missing(row, n, places)

    def _seek(self, walk: Walk) -> None:
        """Look through the whole log for the numbers that are missing under their customers."""
        sought = dict(list(self._sought.items())[:_SOUGHT])
        for index, leaf in walk.leaves():
            what = sought.pop(leaf[_TAG_AT : _TAG_AT + TAG_SIZE], None)
            if what is not None:
                what = f"{what}: this entry is it, its row was deleted or put under another"
                self._faults.add(SUBJECTS, index, what, Remedy.ROW)
        for what in sought.values():
            self._faults.add(ENTRIES, None, f"{what}: it is nowhere in the log", Remedy.LEAF)


def _missing(row: SubjectRow, n: int, places: Mapping[int, int | None]) -> str:
    before, after = places.get(n - 1), places.get(n + 1)
    words = [] if before is None else [f"after entry {before}"]
    words += [] if after is None else [f"before entry {after}"]
    where = f" ({' and '.join(words)})" if words else ""
    return f"number {n} of customer `{row.ref}`{where} is not listed under the customer"
