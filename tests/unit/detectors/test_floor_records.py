import re
import unicodedata
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.floor_records import crm_rows, iban, luhn_digit

ROWS = crm_rows(1, 400)


def test_rows_are_a_function_of_seed_and_number() -> None:
    assert crm_rows(1, 5) == ROWS[:5]
    assert crm_rows(2, 5) != ROWS[:5]


def test_a_row_has_all_that_a_crm_has() -> None:
    assert set(ROWS[0]) == {
        "customer_id",
        "full_name",
        "email",
        "phone",
        "birth_date",
        "national_id",
        "address",
        "balance_minor",
        "iban",
        "id_document",
        "notes",
        "preferences",
        "plan",
        "member_since",
        "cards",
        "last_orders",
    }


def test_mail_goes_to_reserved_domains_and_is_unique() -> None:
    mails = [cast("str", r["email"]) for r in ROWS]
    assert all(re.fullmatch(r"[a-z.]+\d+@example\.(com|net|org)", m) for m in mails)
    assert len(set(mails)) == len(mails)


def test_names_come_in_several_scripts() -> None:
    names = "".join(cast("str", r["full_name"]) for r in ROWS)
    scripts = {unicodedata.name(c, "").split(" ")[0] for c in names}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "CJK", "ARABIC", "DEVANAGARI"}


def _luhn(number: str) -> bool:
    digits = [int(d) for d in reversed(number)]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_cards_have_valid_check_digits_in_test_ranges() -> None:
    cards = [c for r in ROWS for c in cast("list[dict[str, str]]", r["cards"])]
    assert all(_luhn(c["number"]) for c in cards)
    tests = ("411111", "400000", "555555", "222300", "378282")
    assert all(c["number"].startswith(tests) for c in cards)


@given(st.text("0123456789", min_size=1, max_size=18))
def test_the_luhn_digit_completes_any_number(body: str) -> None:
    assert _luhn(body + luhn_digit(body))


def _iban_holds(text: str) -> bool:
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def test_ibans_have_valid_check_digits_and_no_real_bank() -> None:
    ibans = [cast("str", r["iban"]) for r in ROWS]
    assert all(_iban_holds(i) for i in ibans)
    assert all(i[4:8] in {"TEST", "0000"} for i in ibans)


@pytest.mark.parametrize(
    ("country", "account", "expected"),
    [("GB", "WEST12345698765432", "GB82WEST12345698765432")],
)
def test_a_published_iban(country: str, account: str, expected: str) -> None:
    assert iban(country, account) == expected


def test_notes_mention_the_customer_at_times() -> None:
    own = [
        any(
            cast("str", r[key]) in cast("str", r["notes"])
            for key in ("phone", "email", "full_name")
        )
        for r in ROWS
    ]
    assert 0.3 < sum(own) / len(own) < 0.9
