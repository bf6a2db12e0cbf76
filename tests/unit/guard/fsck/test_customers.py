from tests.tamper.conftest import stand, whole
from tests.tamper.stand import Stand

__all__ = ["stand", "whole"]


def test_a_number_that_is_nowhere_is_told_with_its_neighbours(stand: Stand) -> None:
    stand.sql("UPDATE subject SET next_n = next_n + 1 WHERE ref = ?", stand.refs[0])
    (fault,) = stand.fsck().faults
    assert (fault.table, fault.index) == ("entry", None)
    assert "is nowhere in the log" in fault.what


def test_a_row_that_was_put_under_another_is_found_where_it_is(stand: Stand) -> None:
    query = "SELECT min(idx) FROM detail_subject WHERE ref = ?"
    (index,) = stand.one(query, stand.refs[2])
    stand.sql("UPDATE detail_subject SET ref = ? WHERE idx = ?", stand.refs[3], index)
    faults = [one for one in stand.fsck().faults if "this entry is it" in one.what]
    assert [one.index for one in faults] == [index]


def test_a_customer_whose_key_is_gone_is_told(stand: Stand) -> None:
    stand.sql("UPDATE subject SET bucket = 'lost' WHERE ref = ?", stand.refs[0])
    assert any(one.table == "subject" for one in stand.fsck().faults)
