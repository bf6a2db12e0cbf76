import pytest

from tests.tamper.conftest import stand, whole
from tests.tamper.stand import Stand

__all__ = ["stand", "whole"]


@pytest.mark.parametrize(
    ("change", "table", "index"),
    [
        ("UPDATE entry SET leaf_hash = zeroblob(32) WHERE idx = 6", "entry", 6),
        ("UPDATE entry SET entry_id = x'01' WHERE idx = 6", "entry", 6),
        ("UPDATE entry SET writer_seq = 900 WHERE idx = 6", "entry", 6),
        ("UPDATE detail_event SET idx = 900 WHERE idx = 6", "detail_event", 6),
        ("UPDATE detail_event SET idx = 900 WHERE idx = 6", "detail_event", 900),
        ("UPDATE detail_subject SET position = 1 WHERE idx = 18", "detail_subject", 18),
        ("UPDATE detail_subject SET idx = -4 WHERE idx = 18", "detail_subject", -4),
    ],
)
def test_each_row_is_compared_at_its_place(
    stand: Stand, change: str, table: str, index: int
) -> None:
    stand.sql(change)
    assert any((one.table, one.index) == (table, index) for one in stand.fsck().faults)


def test_late_links_are_those_of_the_entries(stand: Stand) -> None:
    stand.sql("UPDATE late_link SET link = 'owned' WHERE idx = (SELECT min(idx) FROM late_link)")
    stand.sql("INSERT INTO late_link VALUES (3, 'acme', 'owner')")
    told = [one.what for one in stand.fsck().faults if one.table == "late_link"]
    assert len(told) == 2
    assert "no entry says" in told[1]


def test_a_row_beside_an_entry_that_is_gone_is_told(stand: Stand) -> None:
    stand.sql("DELETE FROM entry WHERE idx BETWEEN 7 AND 9")
    told = [(one.table, one.index, one.what) for one in stand.fsck().faults]
    assert ("entry", 7, "entry 7 to 9 is missing") in told
    assert ("detail_event", 8, "the row has no entry") in told


def test_without_published_files_the_leaf_is_compared_with_its_hash(stand: Stand) -> None:
    (stand.folder / "log" / "checkpoint").unlink()
    stand.sql("UPDATE entry SET leaf = zeroblob(90) WHERE idx = 6")
    stand.sql("DELETE FROM entry WHERE idx = 12")
    told = [(one.index, one.what) for one in stand.fsck().faults if one.table == "entry"]
    assert (6, "the leaf was changed") in told
    assert (12, "entry 12 is missing") in told
