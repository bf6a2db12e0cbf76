from guard.masking.identifying import identifying, identifying_fields
from guard.rows import RawRecord
from policies.catalogue import parse_catalogue

CATALOGUE = parse_catalogue(
    b"""[fields]
email = { class = "c", mask = "redact", identifier = "email" }
"others[].email" = { class = "c", mask = "redact", identifier = "email" }
"contact.phone" = { class = "c", mask = "redact", identifier = "phone" }
account = { class = "c", mask = "redact", identifier = "account" }
plan = { class = "c", mask = "redact" }
""",
    "fields.toml",
)


def test_only_identifying_fields_are_fetched() -> None:
    assert identifying_fields(CATALOGUE) == {"email", "others", "contact", "account"}


def test_all_values_of_a_kind_are_found_and_no_others() -> None:
    raw = RawRecord(
        {
            "email": "a@example.com",
            "others": [{"email": "b@example.com"}, {"email": None}, 7],
            "contact": {"phone": 34612345678},
            "plan": "gold",
        }
    )
    assert identifying(raw, CATALOGUE) == {
        "email": ("a@example.com", "b@example.com"),
        "phone": ("34612345678",),
    }


def test_a_kind_without_a_value_differs_from_one_that_the_source_does_not_hold() -> None:
    assert identifying(RawRecord({"account": None}), CATALOGUE) == {"account": ()}
    assert identifying(RawRecord({}), CATALOGUE) == {}
