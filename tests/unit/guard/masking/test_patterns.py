import pytest
import regex  # type: ignore[import-untyped]  # its stubs are not among our tools

from guard.masking import patterns
from guard.masking.patterns import find, scrub
from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import in_digits


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail Maria.G+x@Example.org now", "mail [email] now"),
        ("почта анна@пример.рф.", "почта [email]."),
        ("IBAN DE89 3704 0044 0532 0130 00 please call", "IBAN [iban] please call"),
        ("gb82west12345698765432,NO9386011117947", "[iban],[iban]"),
        ("DE89 3704 0044 0532 0130 01 typo", "DE[number] typo"),
        ("card 4111 1111 1111 1111 exp 12/27", "card [card] exp 12/27"),
        ("card 4111-1111-1111-1112", "card [number]"),
        ("call +49 (170) 123-4567 today", "call [phone] today"),
        ("ssn 123-45-6789 or 123 45 6789", "ssn [ssn] or [ssn]"),
        ("born 1990-02-03", "born [date]"),
        ("born 3.2.1990, or 3/2/90", "born [date], or [date]"),
        ("born 3rd of February 1990", "born [date]"),
        ("on Feb. 3, 1990 and March 5", "on [date] and [date]"),
        ("passport X1234567 and C01X00T47", "passport [number] and [number]"),
        ("host 192.168.100.10, 10.0.0.1.", "host [ip], [ip]."),
        (in_digits("arabic", "arabic 012345678"), "arabic [phone]"),
        (in_digits("devanagari", "card 4111 1111 1111 1111"), "card [card]"),
        (in_digits("full-width", "card 4111\uff0d1111\uff0d1111\uff0d1111"), "card [card]"),
        ("4111\u200b1111\u200b1111\u200b1111", "[card]"),
        ("ma\u200bria\u2060@\u200bexample\u00ad.org", "[email]"),
        ("4\u0301111 1111 1111 1111\u20e3", "[card]\u20e3"),
        ("4111_1111_1111_1111 and 4111\u202f1111\u20131111\u00b71111", "[card] and [card]"),
        ("ssn 000-12-3456, 123-00-4567, 900-12-3456", "ssn [phone], [phone], [phone]"),
        ("call +14155552671 or 0015551234567", "call [phone] or [phone]"),
        ("call \uff0b14155552671", "call [phone]"),
        ("to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "to [wallet]"),
        ("to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "to [number]"),
        ("to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.", "to [wallet]."),
        ("to BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "to [wallet]"),
        ("to 0x52908400098527886E0F7030069857D2E4169EE7", "to [wallet]"),
        ("key AKzzzzzzzzzzzzzzzzzz1zzz, x1y2, ab12cd", "key [number], x1y2, ab12cd"),
        ("is ab१२३४cd a code", "is [number] a code"),
        ("v6 2001:db8::8a2e:370:7334, fe80::1%eth0", "v6 [ip], [ip]%eth0"),
        ("v6 2001:db8:0:0:0:8a2e:370:7334 or ::ffff:192.0.2.1", "v6 [ip] or [ip]"),
        ("not v6 12345::6789 or ::fffff1", None),
        ("at 12:30:15, std::vector, a::b, ::, 1:2:3:4:5:6:7:8:9", None),
        ("version 1.2.3.4.5 and 999.1.1.1", None),
        ("March", None),
        ("a @ b, @home, x@", None),
        ("a@b%c@d.example+e@f, +@x.org", "[email], [email]"),
        ("++maria@example.org", "[email]"),
        ("id _ab12345_ab12345x_", "id _[number]_[number]_"),
        ("to bc1qqqqqqqqqqq, bc1qqqqqqqqbob", "to [wallet], bc1qqqqqqqqbob"),
        ("+49 is a prefix", None),
        ("\u0645\u06cc\u200c\u062e\u0648 👩\u200d👩\u200d👧", None),
        ("30 euro, order 123456, room 12b", "30 euro, order 123456, room 12b"),
        ("", ""),
    ],
)
def test_findings_are_replaced_by_their_kind_and_the_rest_stays(
    text: str, shown: str | None
) -> None:
    assert scrub(text) == (text if shown is None else shown)


def test_what_was_found_is_counted_by_kind_and_never_kept() -> None:
    seen = find("a@example.org, b@example.org, 4111 1111 1111 1111")
    assert seen.text == "[email], [email], [card]"
    assert seen.found == {"email": 2, "card": 1}


UNITS = [
    *("a", "a.", "1", "1 ", "a@", "+", "DE89", "@", "é1", "jan ", "1. ", "a1-", "1a1a ", ":", "a:"),
    *("1:", "0x", "1\u200b", "\u200b", "1\u0301", "1.1.1.1 ", "1( ", "bc1", "jan 1 ", "12345678, "),
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_twice_as_long_is_no_more_than_twice_the_work(unit: str) -> None:
    once, twice = (find((unit * n)[:n]).checked for n in (8_192, 16_384))
    assert twice <= 2.6 * once + 64
    assert twice <= 4 * 16_384


@pytest.mark.parametrize("text", ["DE89 " * 13_000, "GB82WEST " * 7_000])
def test_a_text_of_nothing_but_false_account_numbers_is_no_prose(text: str) -> None:
    with pytest.raises(UnmaskableError):
        scrub(text)


def test_of_a_text_of_distinct_identifiers_every_one_is_found() -> None:
    count = 500
    for kind, text in {
        "phone": ", ".join(str(2_000_000 + n) for n in range(count)),
        "number": ", ".join(f"ab{n:04}cd" for n in range(count)),
        "ip": ", ".join(f"2001:db8::{n:x}" for n in range(count)),
        "email": ", ".join(f"m{n}@example.org" for n in range(count)),
        "date": ", ".join(f"jan {n % 28 + 1}" for n in range(count)),
    }.items():
        seen = find(text)
        assert seen.found == {kind: count}
        assert seen.text == ", ".join([f"[{kind}]"] * count)


def test_of_more_wallets_than_any_note_has_the_rest_go_unnamed() -> None:
    seen = find("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa " * (patterns.MAX_HASHED + 7))
    assert seen.found == {"wallet": patterns.MAX_HASHED, "number": 7}


def test_what_cannot_be_seen_is_what_unicode_says() -> None:
    ignorable = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cf}]")
    # Planes 4 to 13 are not assigned, and private use is neither.
    planes = (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xF0000))
    everything = "".join(map(chr, planes))
    assert patterns.UNSEEN.findall(everything) == ignorable.findall(everything)
