from guard.exports.columns import COLUMNS, table_rows
from tests.unit.guard.exports.makers import make_row


def test_each_customer_of_an_entry_has_a_row() -> None:
    first, second = (dict(zip(COLUMNS, row, strict=True)) for row in table_rows(make_row()))
    assert (first["customer"], first["case"], first["reason"], first["erased"]) == (
        "c1",
        "case-1",
        "call",
        "false",
    )
    assert (second["customer"], second["case"], second["reason"], second["erased"]) == (
        "c2",
        "",
        "",
        "true",
    )
    assert first["at"] == "2025-11-24T16:00:00.123456Z"
    assert first["classes"] == "contact=mask;name=plain"
    assert first["charges"] == "agent:acme/u-17/views=1"
    assert first["reasons"] == "one;two"
    assert (first["index"], first["kind"], first["agent"]) == ("7", "view", "u-17")


def test_an_entry_about_nobody_is_one_row() -> None:
    (row,) = table_rows(make_row(subjects=()))
    named = dict(zip(COLUMNS, row, strict=True))
    assert (named["customer"], named["erased"]) == ("", "false")
