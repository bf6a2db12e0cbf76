from guard.exports.rfc5424 import SyslogWriter, name_text, param_text
from tests.unit.guard.exports.makers import SOURCE, make_row


def test_a_message_is_framed_by_its_octets() -> None:
    frame = SyslogWriter(SOURCE).line(make_row())
    length, _, message = frame.partition(b" ")
    assert int(length) == len(message)
    assert message.startswith(
        b"<110>1 2025-11-24T16:00:00.123456Z example.com/log recordguard - view [recordguard@32473 "
    )


def test_a_refusal_is_a_notice() -> None:
    assert b" <109>1 " in SyslogWriter(SOURCE).line(make_row(outcome="refused"))


def test_another_format_is_carried_as_the_message() -> None:
    frame = SyslogWriter(SOURCE).around(make_row(), b"CEF:0|x\n")
    length, _, message = frame.partition(b" ")
    assert int(length) == len(message)
    assert message.endswith(b" view - CEF:0|x")


def test_what_ends_a_value_is_escaped_and_a_name_is_plain() -> None:
    assert param_text('a"b]c\\d\ne') == 'a\\"b\\]c\\\\d e'
    assert name_text("a b\u00e9\n", 9) == "ab"
    assert name_text("", 9) == "-"
    assert name_text("x" * 40, 32) == "x" * 32
