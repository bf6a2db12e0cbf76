from guard.exports.cef import CefWriter, header_text, value_text
from tests.unit.guard.exports.makers import SOURCE, make_row


def test_a_view_is_one_line() -> None:
    line = CefWriter(SOURCE).line(make_row()).decode()
    assert line.startswith("CEF:0|Recordguard|Recordguard|0.1.0|view|view|3|rt=1764000000123 ")
    assert " suser=u-17 " in line
    assert " cs1=c1 c2 cs1Label=customers " in line
    assert line.endswith("\n")


def test_a_refusal_weighs_more() -> None:
    assert b"|view|view|5|" in CefWriter(SOURCE).line(make_row(outcome="refused"))


def test_what_ends_a_field_is_escaped() -> None:
    assert header_text("a|b\\c\nd=e") == "a\\|b\\\\c d=e"
    assert value_text("a|b\\c\nd=e\rf\tg") == "a|b\\\\c\\nd\\=e\\rf g"
