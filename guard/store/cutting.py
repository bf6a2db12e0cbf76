"""Cutting details down to their hashes, and out of what is searched.

The terms of an entry say of people what its clear columns say, so they go with them: its bits are
taken out of its block, and a term that no entry of a block has any more is gone from it. What
takes the bits away is found from the columns, before those are cleared: nothing else is read.
"""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import bindparam, delete, func, select, update

from guard.ledger.merkle import HASH_SIZE
from guard.store.log_terms import (
    BLOCK,
    BLOCK_BYTES,
    CLEAR_COLUMNS,
    IS_THERE,
    ClearRow,
    LogTermWrites,
    bits_of,
)
from guard.store.tables import detail_event, detail_subject, log_term

# What an entry's clear columns say of people and their acts; docs/forgetting.md says what stays.
_CLEARED = dict.fromkeys(
    (
        "region", "vendor", "site", "team", "agent", "actor", "purpose", "link", "mode", "would",
        "outcome",
    ),
    "",
) | {"line": "[]", "shown": None}  # fmt: skip

_SAID_BY = select(*CLEAR_COLUMNS).where(
    detail_event.c.idx.in_(bindparam("indexes", expanding=True)), IS_THERE
)
_CUT_ALL_SUBJECTS = (
    update(detail_subject)
    .where(detail_subject.c.idx.in_(bindparam("indexes", expanding=True)))
    .values(sealed=func.substr(detail_subject.c.sealed, 1, HASH_SIZE))
)
_CUT_EVENTS = (
    update(detail_event)
    .where(detail_event.c.idx.in_(bindparam("indexes", expanding=True)))
    .values(sealed=func.substr(detail_event.c.sealed, 1, HASH_SIZE), **_CLEARED)
)
_PLACE = (
    log_term.c.tenant == bindparam("of_tenant"),
    log_term.c.term == bindparam("of_term"),
    log_term.c.block == bindparam("of_block"),
)
_TAKE_OUT = update(log_term).where(*_PLACE).values(places=bindparam("to_places"))
_TAKE_AWAY = delete(log_term).where(*_PLACE)


class CutWrites(LogTermWrites):
    """Cutting what has run out."""

    def cut_details(self, indexes: Collection[int]) -> None:
        """See `UnitOfWork.cut_details`."""
        if indexes:
            named = {"indexes": sorted(indexes)}
            self._take_out(indexes)
            self._write(_CUT_ALL_SUBJECTS, named)
            self._write(_CUT_EVENTS, named)

    def _take_out(self, indexes: Collection[int]) -> None:
        """Take entries out of the terms, before what they say is cut; what is empty goes."""
        by_block: dict[int, list[ClearRow]] = defaultdict(list)
        for row in self._bare(_SAID_BY, {"indexes": sorted(indexes)}):
            by_block[row[0] // BLOCK].append(row)
        gone = {block: bits_of(rows) for block, rows in by_block.items()}
        changed, emptied = [], []
        for tenant in {tenant for bits in gone.values() for tenant, _ in bits}:
            terms = {name for bits in gone.values() for of, name in bits if of == tenant}
            for (name, block), kept in self.bits_in(tenant, terms, gone).items():
                bits = gone[block].get((tenant, name), 0)
                place = {"of_tenant": tenant, "of_term": name, "of_block": block}
                if left := kept & ~bits:
                    if left != kept:
                        changed.append(place | {"to_places": left.to_bytes(BLOCK_BYTES)})
                else:
                    emptied.append(place)
        self._write(_TAKE_OUT, changed)
        self._write(_TAKE_AWAY, emptied)
