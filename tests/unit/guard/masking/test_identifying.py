from guard.masking.identifying import MOST_NAMES, identifying, identifying_fields
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


PEOPLE = parse_catalogue(
    b"""[fields]
full_name = { class = "c", mask = "redact", identifier = "name" }
"aliases[]" = { class = "c", mask = "redact", identifier = "name" }
born = { class = "c", mask = "redact", identifier = "birth_date" }
""",
    "fields.toml",
)


def test_a_name_and_a_day_of_birth_are_one_identifier() -> None:
    raw = RawRecord({"full_name": "Maria Gonzalez", "aliases": ["M. Ruiz"], "born": "1984-03-09"})
    assert identifying(raw, PEOPLE) == {
        "name_birth_date": ("Maria Gonzalez 1984-03-09", "M. Ruiz 1984-03-09")
    }


def test_one_half_alone_is_left_to_enrolment_and_an_empty_one_removes() -> None:
    assert identifying(RawRecord({"full_name": "Maria Gonzalez"}), PEOPLE) == {}
    empty = RawRecord({"full_name": "Maria Gonzalez", "born": None})
    assert identifying(empty, PEOPLE) == {"name_birth_date": ()}


def test_a_record_with_lists_of_names_gives_a_few() -> None:
    raw = RawRecord({"aliases": [f"n{n}" for n in range(100)], "born": "1984-03-09"})
    assert len(identifying(raw, PEOPLE)["name_birth_date"]) == MOST_NAMES
