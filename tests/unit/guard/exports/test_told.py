from guard.exports.told import one_line, told
from tests.unit.guard.exports.makers import make_row


def test_a_collector_is_told_no_typed_reason() -> None:
    found = told(make_row())
    assert (found["customers"], found["cases"], found["agent"]) == ("c1 c2", "case-1", "u-17")
    assert "call" not in found.values()
    assert "" not in found.values()


def test_a_line_stays_one() -> None:
    assert one_line("plain") == "plain"
    assert one_line("a\nb\u2028c\x00") == "a b c "
