import pytest

from guard.errors import ForkError
from guard.ledger.merkle import CompactRange
from guard.store import SqlStore
from guard.store.entries import PIECE
from tests.support.makers import make_entry
from tests.support.sealing import PlainSealer


def test_leaf_hashes_cross_the_pieces_in_which_they_are_read(sqlite_store: SqlStore) -> None:
    sealer = PlainSealer()
    sealed = [
        sealer.seal(make_entry(), writer_seq=n, subjects={}, next_n={}) for n in range(PIECE + 2)
    ]
    with sqlite_store.begin() as rows:
        rows.append(sealed)
    with sqlite_store.read() as view:
        hashes = list(view.leaf_hashes(0, PIECE + 2))
        assert list(view.leaf_hashes(PIECE - 1, PIECE + 1)) == hashes[-3:-1]
        _, stored = view.head()
    assert hashes == [one.leaf_hash for one in sealed]
    tree = CompactRange()
    for leaf in hashes:
        tree.append(leaf)
    assert tree.hashes == stored


def test_a_log_without_its_head_is_not_written(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows._connection.exec_driver_sql("DELETE FROM tree_head")  # noqa: SLF001 - tampering
    with sqlite_store.begin() as rows, pytest.raises(ForkError, match="head"):
        rows.next_index()
