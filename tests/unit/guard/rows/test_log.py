from guard.rows import PendingSpan


def test_what_waits_is_counted_from_its_ends() -> None:
    assert PendingSpan(3, 3).most == 1
    assert PendingSpan(3, 12).most == 10
