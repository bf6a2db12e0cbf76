import re

import pytest

from policies.catalogue import Catalogue, TransformSpec, parse_catalogue
from policies.errors import BundleError
from tests.support.policy_bundles import default_files

# Others build on these paths: a change here is a change of the record's contract.
SHIPPED = {
    "full_name": "identity",
    "birth_date": "identity",
    "email": "contact",
    "phone": "contact",
    "national_id": "secret",
    "address.street": "address",
    "address.postcode": "address",
    "address.city": "profile",
    "address.country": "profile",
    "balance_minor": "financial",
    "cards[].brand": "financial",
    "cards[].number": "financial",
    "cards[].expiry": "financial",
    "iban": "financial",
    "id_document.kind": "secret",
    "id_document.number": "secret",
    "id_document.image_url": "secret",
    "notes": "free_text",
    "preferences.language": "profile",
    "preferences.marketing": "profile",
    "plan": "profile",
    "member_since": "profile",
    "last_orders[].id": "journey",
    "last_orders[].placed_on": "journey",
    "last_orders[].total_minor": "journey",
    "last_orders[].item": "journey",
}


def parse(line: str) -> Catalogue:
    return parse_catalogue(f"[fields]\n{line}\n".encode(), "fields.toml")


def test_the_shipped_catalogue_has_the_fields_that_others_build_on() -> None:
    catalogue = parse_catalogue(default_files()["fields.toml"], "fields.toml")

    assert {path: rule.cls for path, rule in catalogue.fields.items()} == SHIPPED
    assert catalogue.classes == tuple(sorted(set(SHIPPED.values())))


def test_a_rule_holds_what_its_line_says() -> None:
    rule = parse(
        'phone = { class = "contact", sensitive = true, '
        'mask = { transform = "phone", last = 2, keep_country = true } }'
    ).rule("phone")

    assert rule is not None
    assert (rule.path, rule.cls, rule.is_sensitive) == ("phone", "contact", True)
    assert rule.mask == TransformSpec(name="phone", params={"last": 2, "keep_country": True})


def test_a_field_is_not_sensitive_unless_it_says_so() -> None:
    rule = parse('plan = { class = "profile", mask = "redact" }').rule("plan")

    assert rule is not None
    assert not rule.is_sensitive


@pytest.mark.parametrize("path", ["ssn", "address", "cards.number", "cards[]", "Email", ""])
def test_an_unknown_field_has_no_rule(path: str) -> None:
    catalogue = parse_catalogue(default_files()["fields.toml"], "fields.toml")

    assert catalogue.rule(path) is None


@pytest.mark.parametrize(
    "mask",
    [
        '"redact"',
        '"hide"',
        '"free_text"',
        '"pan"',
        '"pan@1"',
        '{ transform = "pan", first = 6, last = 4 }',
        '{ transform = "keep_last@2", n = 0, min_hidden = 64 }',
        '{ transform = "bucket", size = 10, lo = -100, hi = 100 }',
        '{ transform = "bucket", edges = "-5,0,12" }',
        '{ transform = "date_part", part = "age_band", as_of = 2026 }',
        '{ transform = "email", local = 0, domain = "keep" }',
        '{ transform = "name", style = "first_initial" }',
    ],
)
def test_a_known_mask_is_taken(mask: str) -> None:
    assert parse(f'f = {{ class = "c", mask = {mask} }}').rule("f") is not None


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ('"rot13"', "mask of `f` is unknown: use one of bucket, date_part"),
        ('"redact@0"', "mask of `f` is unknown"),
        ('"Redact"', "mask of `f` is unknown"),
        ("{ transform = 3 }", "mask of `f` is unknown"),
        ("3", "field `f` has no mask"),
        ('{ transform = "redact", txt = "x" }', "unknown key `txt`: use one of text, transform"),
        ('{ transform = "keep_last", n = 4 }', "lacks a parameter: add `min_hidden`"),
        ('{ transform = "bucket" }', "lacks a parameter: add `size` or `edges`"),
        (
            '{ transform = "keep_last", n = 4, min_hidden = 3 }',
            "`min_hidden` of mask `keep_last` of `f` is off: give a whole number from 4 to 64",
        ),
        ('{ transform = "email", local = true, domain = "mask" }', "give a whole number from 0"),
        ('{ transform = "email", local = 1.0, domain = "mask" }', "give a whole number from 0"),
        ('{ transform = "email", local = 1, domain = "all" }', "give one of mask, keep"),
        ('{ transform = "email", local = 1, domain = ["keep"] }', "give one of mask, keep"),
        ('{ transform = "phone", last = 2, keep_country = 1 }', "give true or false"),
        ('{ transform = "bucket", edges = "1;2" }', "give whole numbers with commas"),
        ('{ transform = "bucket", edges = 12 }', "give whole numbers with commas"),
    ],
)
def test_a_mask_that_makes_no_sense_is_refused_on_its_line(mask: str, message: str) -> None:
    with pytest.raises(BundleError, match=rf"^fields\.toml:2: .*{re.escape(message)}"):
        parse(f'f = {{ class = "c", mask = {mask} }}')


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"a..b" = { class = "c", mask = "pan" }', "`a..b` is no path"),
        ('"a[0]" = { class = "c", mask = "pan" }', "`a[0]` is no path"),
        ('"é" = { class = "c", mask = "pan" }', "`é` is no path"),
        ('a.b = { class = "c", mask = "pan" }', "field `a` has no class"),
        ('a = "pan"', "field `a` has no class"),
        ('a = { mask = "pan" }', "field `a` has no class"),
        ('a = { class = "c" }', "field `a` has no mask"),
        ('a = { class = "C d", mask = "pan" }', "class of `a` is no name"),
        ('a = { class = 1, mask = "pan" }', "class of `a` is no name"),
        ('a = { class = "c", mask = "pan", sensitive = 1 }', "`sensitive` of `a` must be true"),
        ('a = { class = "c", masc = "pan" }', "unknown key `masc`"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(line: str, message: str) -> None:
    with pytest.raises(BundleError, match=rf"^fields\.toml:\d+: {re.escape(message)}"):
        parse(line)


@pytest.mark.parametrize(
    ("first", "second", "line"), [("a", "a.b", 2), ("a.b.c", "a.b", 3), ("a[]", "a[].b", 2)]
)
def test_a_field_is_a_value_or_a_container_and_not_both(first: str, second: str, line: int) -> None:
    text = (
        f'"{first}" = {{ class = "c", mask = "pan" }}\n"{second}" = {{ class = "c", mask = "pan" }}'
    )

    with pytest.raises(BundleError, match=rf"^fields\.toml:{line}: .* is a value and contains"):
        parse(text)


def test_a_list_and_a_value_of_one_name_are_one_field() -> None:
    text = '"a.b" = { class = "c", mask = "pan" }\n"a[].b" = { class = "c", mask = "pan" }'

    with pytest.raises(BundleError, match=r"^fields\.toml:3: `a\[\]\.b` and `a\.b` are one field"):
        parse(text)


@pytest.mark.parametrize("text", ["", "[fields]", "fields = 3", "fields = []"])
def test_a_catalogue_without_fields_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match=r"^fields\.toml:1: no fields"):
        parse_catalogue(text.encode(), "fields.toml")


def test_a_misspelt_table_is_refused() -> None:
    with pytest.raises(BundleError, match=r"unknown key `columns`: use one of fields"):
        parse_catalogue(b"[columns]\n", "fields.toml")


def test_a_rule_says_what_may_be_verified_found_and_reached() -> None:
    rule = parse(
        'phone = { class = "contact", mask = "redact", verify = ["last4", "full"],'
        ' identifier = "phone", contact = "call" }'
    ).rule("phone")

    assert rule is not None
    assert (rule.verify, rule.identifier, rule.contact) == (("last4", "full"), "phone", "call")


def test_a_field_is_not_verified_found_or_reached_unless_it_says_so() -> None:
    rule = parse('plan = { class = "profile", mask = "redact", verify = [] }').rule("plan")

    assert rule is not None
    assert (rule.verify, rule.identifier, rule.contact) == ((), None, None)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('verify = "full"', "`verify` of `a` is off: list some of full, last4, postcode_end, year"),
        ('verify = ["first4"]', "`verify` of `a` is off"),
        ("verify = [4]", "`verify` of `a` is off"),
        ("verify = [[]]", "`verify` of `a` is off"),
        ('verify = ["full", "full"]', "`verify` of `a` names a part twice"),
        (
            'identifier = "nickname"',
            "`identifier` of `a` is unknown: use one of account, email, phone, name, birth_date",
        ),
        ("identifier = 1", "`identifier` of `a` is unknown"),
        ('contact = "fax"', "`contact` of `a` is unknown: use one of call, mail, message"),
        ('contact = ["mail"]', "`contact` of `a` is unknown"),
    ],
)
def test_what_cannot_be_verified_found_or_reached_is_refused_on_its_line(
    setting: str, message: str
) -> None:
    with pytest.raises(BundleError, match=rf"^fields\.toml:2: {re.escape(message)}"):
        parse(f'a = {{ class = "c", mask = "redact", {setting} }}')


def test_a_channel_has_one_address() -> None:
    text = (
        'a = { class = "c", mask = "redact", contact = "mail" }\n'
        'b = { class = "c", mask = "redact", contact = "call" }\n'
        'd = { class = "c", mask = "redact", contact = "mail" }'
    )

    with pytest.raises(BundleError, match=r"^fields\.toml:4: `d` and `a` are both the address of"):
        parse(text)


def test_the_shipped_catalogue_says_how_a_customer_is_found_and_reached() -> None:
    rules = parse_catalogue(default_files()["fields.toml"], "fields.toml").fields.values()

    assert {r.path: r.identifier for r in rules if r.identifier} == {
        "email": "email",
        "phone": "phone",
        "iban": "account",
        "full_name": "name",
        "birth_date": "birth_date",
    }
    assert {r.path: r.contact for r in rules if r.contact} == {"email": "mail", "phone": "call"}


@pytest.mark.parametrize(("half", "other"), [("name", "birth_date"), ("birth_date", "name")])
def test_a_name_or_a_day_alone_is_no_identifier(half: str, other: str) -> None:
    text = f'a = {{ class = "c", mask = "redact", identifier = "{half}" }}\n'
    with pytest.raises(BundleError, match=rf"^fields\.toml:2: `a` is a `{half}`.*`{other}` too$"):
        parse(text)
