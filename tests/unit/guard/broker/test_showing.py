import pytest

from guard.broker.showing import view_code, within

KNOWN = {"email": 1, "address.city": 1, "address.street": 1, "cards[].number": 1}


@pytest.mark.parametrize(
    ("asked", "limit", "expected"),
    [
        (("anything",), None, ("anything",)),
        (None, None, None),
        (None, ("email",), ("email",)),
        (None, ("address", "cards[]"), ("address.city", "address.street", "cards[].number")),
        (("email", "address.city"), ("address",), ("address.city",)),
        (("cards",), ("cards[].number",), ("cards[].number",)),
        (("phone",), ("email",), ()),
        (None, ("mail",), ()),
    ],
)
def test_a_field_set_lets_only_its_own_paths_through(
    asked: tuple[str, ...] | None,
    limit: tuple[str, ...] | None,
    expected: tuple[str, ...] | None,
) -> None:
    assert within(KNOWN, asked, limit) == expected


def test_a_view_code_is_short_and_comes_from_the_entrys_id() -> None:
    assert view_code("00" * 11 + "0102030405") == "AEBA-GBAF"
