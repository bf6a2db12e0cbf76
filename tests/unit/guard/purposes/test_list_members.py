from guard.purposes.list_members import REPORTED, Upload, counted, digest_of
from guard.purposes.list_rows import BadRow, Fault


def test_lists_that_differ_have_other_digests() -> None:
    lists: list[tuple[str, ...]] = [(), ("a",), ("a", "b"), ("ab",), ("a", "bc"), ("ab", "c")]
    assert len({digest_of(refs) for refs in lists}) == len(lists)


def test_equal_lists_have_equal_digests_in_any_order() -> None:
    assert counted(iter(("b", "a"))) == counted(("a", "b")) == (digest_of(["a", "b"]), 2)


def test_the_first_bad_rows_are_reported_and_all_are_counted() -> None:
    upload = Upload()
    bad = [BadRow(line=n, fault=Fault.UNREADABLE) for n in range(REPORTED + 20)]
    upload.reject(bad[:60])
    upload.reject(bad[60:])
    upload.reject(bad[:1])
    assert (upload.rejected, upload.faults) == (REPORTED + 21, bad[:REPORTED])
