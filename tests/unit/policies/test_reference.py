from pathlib import Path

from policies.catalogue import parse_catalogue
from policies.reference import describe_fields
from tests.support.policy_bundles import default_files

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
