from dataclasses import replace

from tests.tamper.conftest import stand, whole
from tests.tamper.stand import Stand

__all__ = ["stand", "whole"]


def test_the_report_counts_what_was_looked_at(whole: Stand) -> None:
    report = whole.fsck(receipts=True)
    assert (report.faults, report.count, report.erased) == ((), 0, 0)
    assert report.entries == whole.one("SELECT size FROM tree_head")[0]
    assert report.receipts == len(whole.receipts)


def test_a_head_of_other_entries_is_told(stand: Stand) -> None:
    stand.sql("UPDATE tree_head SET size = size + 1, newest_at = 0")
    assert [one.what.split("`")[1] for one in stand.fsck().faults] == ["size", "newest_at"]
    stand.sql("DELETE FROM tree_head")
    (fault,) = stand.fsck().faults
    assert "0 rows instead of one" in fault.what


def test_receipts_are_kept_or_told(stand: Stand) -> None:
    first, second, *_ = stand.receipts
    lost = replace(first, entry_id="00" * 16)
    forged = replace(second, writer="00" * 8)
    moved = replace(second, index=1)
    odd = replace(second, writer="no hex")
    changed = replace(stand, receipts=(first, lost, forged, moved, odd))
    told = [(one.table, one.index) for one in changed.fsck(receipts=True).faults]
    assert told == [
        ("receipt", first.index),
        ("receipt", second.index),
        ("receipt", 1),
        ("receipt", second.index),
    ]
