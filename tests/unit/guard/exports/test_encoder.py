from guard.exports.encoder import LineEncoder
from tests.unit.guard.exports.makers import make_row


def test_a_row_without_a_place_is_no_record() -> None:
    rows = [make_row(), make_row()]
    lines = iter([b"a\n", None])
    assert LineEncoder(lambda _row: next(lines)).chunk(rows) == (b"a\n", 1)
    assert LineEncoder(lambda _row: b"").end() == (b"", 0)
