from tests.tamper.stand import Stand


def test_a_store_that_nobody_touched_has_no_fault(whole: Stand) -> None:
    report = whole.fsck(receipts=True)
    assert report.faults == ()
    assert report.entries > 40
    assert (report.pending, report.customers, report.receipts) == (7, 6, 8)
    assert report.checkpoints >= 3
    assert report.published is not None
    assert report.published < report.entries
    assert whole.one("SELECT count(*) FROM late_link") == (2,)
