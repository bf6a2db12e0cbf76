from guard.fsck.faults import MOST, Fault, Faults, Remedy


def test_a_fault_is_one_line_that_says_where_what_and_what_to_do() -> None:
    fault = Fault(table="entry", index=7, what="the leaf was changed", remedy=Remedy.LEAF)
    assert str(fault).startswith("entry 7: the leaf was changed; put the published leaf back")
    assert str(Fault(table="tree_head", index=None, what="x", remedy=Remedy.HEAD)).startswith(
        "tree_head: x; "
    )


def test_beyond_a_thousand_faults_are_counted_and_not_kept() -> None:
    faults = Faults()
    for index in range(MOST + 5):
        faults.add("entry", index, "gone", Remedy.ROW)
    assert (len(faults.found), faults.count) == (MOST, MOST + 5)
