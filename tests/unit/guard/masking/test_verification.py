import hmac
from datetime import date, datetime

import pytest

from guard.masking import verification
from guard.masking.verification import verify
from guard.rows import RawRecord
from policies.catalogue import FieldRule, TransformSpec
from tests.unit.guard.masking.support import in_digits

PARTS = ("full", "last4", "year", "postcode_end")


def rule(
    path: str = "f",
    mask: str = "redact",
    *,
    parts: tuple[str, ...] = PARTS,
    identifier: str | None = None,
    contact: str | None = None,
) -> FieldRule:
    return FieldRule(
        path=path,
        cls="c",
        mask=TransformSpec(name=mask, params={}),
        is_sensitive=False,
        verify=parts,
        identifier=identifier,
        contact=contact,
    )


def holds(value: object, part: str, claim: str, field: FieldRule | None = None) -> bool:
    return verify(RawRecord({"f": value}), field or rule(), part, claim)


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        ("Maria Gonzalez", "maria  gonzalez"),
        ("José", "JOSE\u0301"),
        ("Straße", "STRASSE"),
        ("AB-12 34", "ab1234"),
        (in_digits("arabic", "1234"), "1234"),
        ("1234", in_digits("devanagari", "1234")),
        (in_digits("full-width", "1234"), "12 34"),
        ("a\u200bb\ufe0fc", "abc"),
        ("李小龍", "李小龍"),
        ("कि", "कि"),
        (4711, "4711"),
        (date(1990, 2, 3), "1990-02-03"),
    ],
)
def test_a_whole_value_is_compared_in_one_form(value: object, claim: str) -> None:
    assert holds(value, "full", claim)


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        ("Maria", "Marla"),
        ("Maria", ""),
        ("", ""),
        ("...", "..."),
        (None, ""),
        (None, "None"),
        (True, "True"),
        ([], ""),
        ("कि", "का"),
        ("\ud800", "\ud800"),
        ("x" * 600, "x" * 600),
        ("Maria", "Maria" + "\u200b" * 600),
        ({"a": 1}, "1"),
    ],
)
def test_another_value_a_missing_one_and_an_odd_one_are_no(value: object, claim: str) -> None:
    assert not holds(value, "full", claim)


@pytest.mark.parametrize(
    ("stored", "claim"),
    [
        ("Maria@Example.org", "maria@example.org"),
        ("maria@example.org", " maria@example.org "),
    ],
)
def test_an_address_is_compared_without_case(stored: str, claim: str) -> None:
    for field in (rule(mask="email@1"), rule(identifier="email"), rule(contact="mail")):
        assert holds(stored, "full", claim, field)


def test_the_dots_of_an_address_count() -> None:
    assert not holds("j.doe@example.org", "full", "jdoe@example.org", rule(identifier="email"))


PHONE = rule(mask="phone", identifier="phone", contact="call")


@pytest.mark.parametrize(
    ("stored", "claim"),
    [
        ("+49 170 1234567", "0170 1234567"),
        ("+49 170 1234567", "0049 170 1234567"),
        ("+49 170 1234567", "+49 (0)170 123-4567"),
        ("+49 170 1234567", "49 170 1234567"),
        ("+49 170 1234567", "170 1234567"),
        ("0170 1234567", "+491701234567"),
        ("0170 1234567", "0170/1234567 ext 4"),
        ("+1 415 555 2671", "(415) 555-2671"),
        ("+1 415 555 2671", "1-415-555-2671"),
        (in_digits("arabic", "+49 170 1234567"), "0170 1234567"),
        ("+39 06 1234 5678", "06 1234 5678"),
        (1701234567, "0170 1234567"),
    ],
)
def test_a_phone_number_is_compared_however_its_country_is_written(
    stored: object, claim: str
) -> None:
    assert holds(stored, "full", claim, PHONE)


@pytest.mark.parametrize(
    ("stored", "claim"),
    [
        ("+49 170 1234567", "+43 170 1234567"),
        ("+49 170 1234567", "0043 170 1234567"),
        ("+49 170 1234567", "0170 1234568"),
        ("+49 170 1234567", "1234567"),
        ("+49 170 1234567", ""),
        ("123456", "123456"),
        (None, "0170 1234567"),
        ("no number", "no number"),
    ],
)
def test_another_number_or_no_number_is_no(stored: object, claim: str) -> None:
    assert not holds(stored, "full", claim, PHONE)


@pytest.mark.parametrize(
    ("value", "claim", "answer"),
    [
        ("4111 1111 1111 1234", "1234", True),
        ("4111 1111 1111 1234", "12-34", True),
        ("4111 1111 1111 1234", in_digits("thai", "1234"), True),
        ("DE89 3704 0044 0532 0130 0a", "300A", True),
        ("4111 1111 1111 1234", "1235", False),
        ("4111 1111 1111 1234", "234", False),
        ("4111 1111 1111 1234", "4111111111111234", False),
        ("1234", "1234", False),
        (None, "1234", False),
    ],
)
def test_the_last_four_are_compared_where_there_is_more_before_them(
    value: object,
    claim: str,
    answer: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert holds(value, "last4", claim) is answer


def test_the_last_four_of_a_phone_are_those_before_its_extension() -> None:
    assert holds("+49 170 1234567 ext 89", "last4", "4567", PHONE)


@pytest.mark.parametrize(
    ("value", "claim", "answer"),
    [
        ("1990-02-03", "1990", True),
        ("1990-02-03", in_digits("arabic", "1990"), True),
        (date(1990, 2, 3), "1990", True),
        (datetime(1990, 2, 3, 4, 5), "1990", True),  # noqa: DTZ001 - as a driver gives it
        ("1990-02-03", "1991", False),
        ("1990-02-03", "90", False),
        ("03.02.1990", "0302", False),
        (None, "1990", False),
    ],
)
def test_the_year_of_a_date_is_compared(
    value: object,
    claim: str,
    answer: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert holds(value, "year", claim) is answer


def test_a_date_with_a_time_is_compared_by_its_date() -> None:
    born = rule(mask="date_part")
    assert holds("1990-02-03T10:00:00Z", "full", "1990-02-03", born)
    assert not holds("born 1990", "full", "1990", born)


@pytest.mark.parametrize(
    ("value", "claim", "answer"),
    [
        ("SW1A 2AA", "2aa", True),
        ("10115", "115", True),
        ("10115", "15", False),
        ("115", "115", False),
    ],
)
def test_the_end_of_a_postcode_is_compared(
    value: str,
    claim: str,
    answer: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert holds(value, "postcode_end", claim) is answer


def test_any_item_of_a_list_may_be_meant() -> None:
    record = RawRecord({"cards": [{"number": "41110000"}, {}, {"number": "42220001"}]})
    cards = rule("cards[].number")
    assert verify(record, cards, "last4", "0000")
    assert verify(record, cards, "last4", "0001")
    assert not verify(record, cards, "last4", "0002")
    assert verify(
        RawRecord({"p": ["+49 170 1234567", "x"]}), rule("p[]", "phone"), "full", "0170 1234567"
    )


@pytest.mark.parametrize("part", ["last4", "iris", ""])
def test_a_part_that_the_catalogue_does_not_allow_is_no(part: str) -> None:
    assert not holds("41110000", part, "0000", rule(parts=("full",)))
    assert not holds("41110000", part, "41110000", rule(parts=("iris",)))


@pytest.mark.parametrize(
    ("value", "claim"),
    [(None, "1234"), ("41111234", "1234"), ("41111234", "9999"), ("41111234", ""), ({}, "x")],
)
def test_something_is_always_compared_and_only_digests_of_one_length(
    monkeypatch: pytest.MonkeyPatch, value: object, claim: str
) -> None:
    lengths: list[int] = []

    def counted(one: bytes, two: bytes) -> bool:
        lengths.extend((len(one), len(two)))
        return hmac.compare_digest(one, two)

    monkeypatch.setattr(verification, "_compare", counted)
    for part in PARTS:
        before = len(lengths)
        holds(value, part, claim)
        holds(value, part, claim, PHONE)
        assert len(lengths) > before
    assert set(lengths) == {32}


def test_all_items_are_compared_wherever_the_first_hit_is(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for claim in ("0000", "0001", "9999"):
        seen: list[bool] = []
        monkeypatch.setattr(
            verification, "_compare", lambda a, b, seen=seen: seen.append(a == b) or a == b
        )
        holds_any = verify(RawRecord({"f": ["41110000", "42220001"]}), rule("f[]"), "last4", claim)
        assert holds_any is any(seen)
        counts.append(len(seen))
    assert len(set(counts)) == 1
