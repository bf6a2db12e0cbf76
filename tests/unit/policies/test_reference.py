from pathlib import Path

from policies.bundle import load_bundle
from policies.catalogue import parse_catalogue
from policies.reference import describe_access, describe_fields
from tests.support.policy_bundles import default_files, small_files

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "fields.md"


def test_the_page_about_fields_is_up_to_date() -> None:
    catalogue = parse_catalogue(default_files()["fields.toml"], "fields.toml")

    assert PAGE.read_text(encoding="utf-8") == describe_fields(catalogue)


def test_a_field_is_described_in_one_row() -> None:
    text = b'[fields]\nphone = { class = "contact", mask = { transform = "phone", last = 2, '
    page = describe_fields(parse_catalogue(text + b"keep_country = true } }", "fields.toml"))

    assert page.endswith(
        "| `phone` | contact | phone (last = 2, keep_country = true) |  |  |  |  |\n"
    )


def test_who_may_see_what_is_one_row_for_all_who_may_alike() -> None:
    page = describe_access(load_bundle(default_files()))
    rows = [line for line in page.splitlines() if line.startswith("| ")]

    assert (
        "| outreach | agent, lead, service at any desk | view, list, verify, contact "
        "| - | M | - | - | M | - | - | - |"
    ) in rows
    fraud = next(row for row in rows if row.startswith("| fraud_review") and "at fraud" in row)
    assert fraud.endswith("| R (P) |")
    assert not any("auditor" in row or "admin" in row for row in rows)


def test_desks_and_roles_without_a_difference_are_not_told_apart() -> None:
    page = describe_access(load_bundle(small_files()))

    acts = "view, reveal, list, search, verify, contact"
    assert f"| onboarding | agent at any desk | {acts} | M |\n" in page
