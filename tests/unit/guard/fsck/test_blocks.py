import pytest
from sqlalchemy import text

from guard.fsck.blocks import BlocksCheck
from guard.fsck.faults import Fault, Faults
from guard.ledger.entry import decode_leaf
from guard.log_rows import TERM_BLOCK
from guard.ports import LogTables
from guard.store import SqlStore
from tests.support.log import settle
from tests.unit.guard.store.test_log_terms import fill


def look(view: LogTables) -> list[Fault]:
    faults, (size, _) = Faults(), view.head()
    check = BlocksCheck(view, faults)
    for row in view.entry_rows(0, size):
        check.see(row.index, decode_leaf(row.leaf).at)
    check.run(size)
    return faults.found


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """Two finished blocks, and some more."""
    fill(store, 0, TERM_BLOCK)
    fill(store, TERM_BLOCK, 500, team="t2")
    fill(store, TERM_BLOCK + 500, 700, team="t3")
    settle(store)
    return store


def test_every_tampering_with_the_index_by_terms_is_found(filled: SqlStore) -> None:
    with filled.read() as view:
        assert look(view) == []
    for statement, table, index in (
        ("DELETE FROM log_term WHERE term = 'team:t2'", "log_term", TERM_BLOCK),
        (
            "UPDATE log_term SET places = substr(places, 2) WHERE term = 'team:t1'",
            "log_term",
            0,
        ),
        ("UPDATE log_term SET term = 'team:x' WHERE term = 'team:t1'", "log_term", 0),
        ("UPDATE log_term SET block = 9 WHERE term = 'team:t1'", "log_term", 9 * TERM_BLOCK),
        ("UPDATE log_block SET high = high + 1 WHERE block = 0", "log_block", 0),
        ("UPDATE log_block SET late = late + 1 WHERE block = 1", "log_block", TERM_BLOCK),
        ("UPDATE log_block SET low = low + 1 WHERE block = 1", "log_block", TERM_BLOCK),
        ("UPDATE log_block SET block = 1000000000 WHERE block = 1", "log_block", None),
        ("DELETE FROM log_block WHERE block = 0", "log_block", None),
        ("DELETE FROM log_block WHERE block = 1", "log_term", TERM_BLOCK),
    ):
        with filled.begin() as rows:
            connection = rows._connection  # noqa: SLF001 - as its administrator could
            point = connection.begin_nested()
            connection.execute(text(statement))
            found = look(rows)
            point.rollback()
        assert (table, index) in [(one.table, one.index) for one in found], statement
