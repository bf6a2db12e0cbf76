from tests.tamper.conftest import stand, whole
from tests.tamper.stand import Stand

__all__ = ["stand", "whole"]


def test_each_row_is_compared_with_its_note_and_with_the_tree(stand: Stand) -> None:
    sizes = [stand.one("SELECT size FROM checkpoint ORDER BY size LIMIT 1")[0]]
    stand.sql("UPDATE checkpoint SET root = zeroblob(32) WHERE size = ?", *sizes)
    (fault,) = stand.fsck().faults
    assert (fault.table, fault.index) == ("checkpoint", sizes[0])
    assert "size or root" in fault.what


def test_a_note_that_nobody_signed_is_told(stand: Stand) -> None:
    stand.sql("UPDATE checkpoint SET note = x'00'")
    assert len(stand.fsck().faults) == stand.one("SELECT count(*) FROM checkpoint")[0]


def test_more_signed_than_left_is_told(stand: Stand) -> None:
    stand.sql("UPDATE checkpoint SET size = 10000 WHERE size = (SELECT min(size) FROM checkpoint)")
    (fault,) = stand.fsck().faults
    assert "10000 entries were signed" in fault.what
