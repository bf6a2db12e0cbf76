import pytest

from guard.errors import InvalidRequestError
from guard.vault.identifiers import (
    BLIND_SIZE,
    IdentifierKind,
    NormalForms,
    blind_identifier,
)

FORMS = NormalForms(calling_code="34")


@pytest.mark.parametrize(
    ("kind", "typed", "normal"),
    [
        ("email", " Maria.Gonzalez+shop@Example.COM\n", "maria.gonzalez+shop@example.com"),
        (
            "email",
            "\uff4d\uff41\uff52\uff49\uff41\uff20\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45\uff0e\uff43\uff4f\uff4d",
            "maria@example.com",
        ),
        ("email", "ma\u200bria@exa\u00admple.com", "maria@example.com"),
        ("email", "STRASSE@example.com", "strasse@example.com"),
        ("email", "straße@example.com", "strasse@example.com"),
        ("email", "o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
        ("phone", "+34 612 345 678", "+34612345678"),
        ("phone", "0034-612.345.678", "+34612345678"),
        ("phone", "612 345 678", "+34612345678"),
        ("phone", "(612) 345/678 ext. 12", "+34612345678"),
        ("phone", "+34 612345678;ext=5", "+34612345678"),
        ("phone", "\u202a+34 612 345 678\u202c", "+34612345678"),
        ("phone", "+٣٤ ٦١٢ ٣٤٥ ٦٧٨", "+34612345678"),
        ("phone", "\uff0b34\u2011612\u2011345\u2011678", "+34612345678"),
        ("phone", "+49 (0)151 234567", "+49151234567"),
        ("account", "es91 2100 0418 4502 0005 1332", "ES9121000418450200051332"),
        ("account", "cust-00.417_a", "CUST00417A"),
        ("account", "٤٧١١٠٠", "471100"),
        ("name_birth_date", "María  GONZÁLEZ, 1984-03-09", "maria gonzalez|1984-03-09"),
        ("name_birth_date", "Jean-Luc O'Neil 1984-03-09", "jean luc o neil|1984-03-09"),
        ("name_birth_date", "मारिया गोमेज 1984-03-09", "मारिया गोमेज|1984-03-09"),
        ("name_birth_date", "Łukasz Żak|१९८४-०३-०९", "łukasz zak|1984-03-09"),
    ],
)
def test_whatever_is_typed_has_one_spelling(kind: str, typed: str, normal: str) -> None:
    assert FORMS.of(kind, typed) == normal
    shown = normal.replace("|", " ")
    assert FORMS.of(kind, shown) == normal


@pytest.mark.parametrize(
    ("code", "typed", "normal"),
    [
        ("49", "0151 2345678", "+491512345678"),
        ("49", "151 2345678", "+491512345678"),
        ("1", "(202) 555-0123", "+12025550123"),
        ("1", "1 202 555 0123", "+12025550123"),
        ("7", "8 912 345-67-89", "+79123456789"),
        ("39", "06 698 12345", "+390669812345"),
        ("44", "+1 202 555 0123", "+12025550123"),
    ],
)
def test_a_national_number_takes_the_country_of_the_desk(
    code: str, typed: str, normal: str
) -> None:
    assert NormalForms(calling_code=code).of("phone", typed) == normal


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("email", "maria"),
        ("email", "maria@example"),
        ("email", "maria@"),
        ("email", "@example.com"),
        ("email", "maria@example.com, ana@example.com"),
        ("email", "ma ria@example.com"),
        ("email", "ma\u0000ria@example.com"),
        ("email", "maria@@example.com"),
        ("email", "maria@example..com"),
        ("email", "x" * 65 + "@example.com"),
        ("email", "*@example.com\r\nBcc: b@example.com"),
        ("email", "m%"),
        ("phone", "34561"),
        ("phone", "1332"),
        ("phone", "+34 612 345 67*"),
        ("phone", "+1234567890123456"),
        ("phone", "612345678+34"),
        ("phone", "+0612345678"),
        ("phone", "call me"),
        ("phone", ""),
        ("account", "12*"),
        ("account", "133"),
        ("account", "ABCDEF"),
        ("account", "4711%"),
        ("account", "1" * 35),
        ("account", "ES9121000418450200051333"),
        ("name_birth_date", "Maria Gonzalez"),
        ("name_birth_date", "1984-03-09"),
        ("name_birth_date", "-- 1984-03-09"),
        ("name_birth_date", "Maria Gonzalez 1984-02-30"),
        ("name_birth_date", "Maria Gonzalez 9/3/1984"),
        ("account", "1" * 255),
    ],
)
def test_half_an_identifier_is_none_and_is_not_repeated_in_the_error(kind: str, typed: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        FORMS.of(kind, typed)
    for word in ("maria@", "34561", "34 612", "gonzalez", "9121000418", "1984-02"):
        assert word not in str(caught.value).lower()


def test_a_national_number_without_a_country_asks_for_one() -> None:
    with pytest.raises(InvalidRequestError, match="country code"):
        NormalForms().of("phone", "612 345 678")


@pytest.mark.parametrize("kind", ["name", "EMAIL", "", "prefix"])
def test_there_is_no_other_kind_to_find_by(kind: str) -> None:
    with pytest.raises(InvalidRequestError, match="no such kind: use one of email, phone, account"):
        FORMS.of(kind, "maria@example.com")


def test_the_blind_index_is_short_and_keyed() -> None:
    one, other = (blind_identifier(bytes([n]) * 32, "+34612345678") for n in (1, 2))
    assert one == blind_identifier(b"\x01" * 32, "+34612345678")
    assert one != other
    assert one != blind_identifier(b"\x01" * 32, "+3461234567")
    assert len(one) == BLIND_SIZE == 16
    # A change of these bytes needs another version of the forms, and the index built anew.
    assert one.hex() == "d649e0b08e93007ab47258f3e381df78"


def test_the_kinds_are_those_that_people_can_say_of_themselves() -> None:
    assert list(IdentifierKind) == ["email", "phone", "account", "name_birth_date"]
