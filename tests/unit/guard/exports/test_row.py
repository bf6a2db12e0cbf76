from guard.clock import to_rfc3339
from guard.exports.row import stamp
from tests.unit.guard.exports.makers import AT, make_event, make_row


def test_parts_are_parsed_when_they_are_asked_for() -> None:
    row = make_row()
    assert row.event == make_event()
    first, second = row.people
    assert first is not None
    assert (first.customer, first.case) == ("c1", "case-1")
    assert second is None


def test_a_stamp_is_the_one_way_a_time_leaves() -> None:
    for at in (0, 1, 999_999, 1_000_000, 59_999_999, 60_000_000, 3_599_999_999, 3_600_000_000, AT):
        assert stamp(at) == to_rfc3339(at)
