from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest

from guard.sources.cells import cell_value, key_value

ID = "00000000-0000-0000-0000-00000000000a"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (1.5, 1.5),
        ("x", "x"),
        (date(1990, 2, 3), "1990-02-03"),
        (datetime(1990, 2, 3, 4, tzinfo=UTC), "1990-02-03T04:00:00+00:00"),
        (time(4, 5), "04:05:00"),
        (Decimal("1E+2"), "100"),
        (UUID(ID), ID),
        ({"a": 1}, {"a": 1}),
        ([1], [1]),
    ],
)
def test_what_drivers_give_is_brought_to_jsons_kinds(cell: object, shown: object) -> None:
    assert cell_value(cell, is_json=False) == shown


def test_json_text_is_read_where_it_is_promised() -> None:
    assert cell_value('{"a": [1]}', is_json=True) == {"a": [1]}
    assert cell_value(None, is_json=True) is None
    assert cell_value({"a": 1}, is_json=True) == {"a": 1}


@pytest.mark.parametrize("cell", [b"x", memoryview(b"x"), object(), {1}])
def test_other_kinds_are_refused(cell: object) -> None:
    with pytest.raises(ValueError, match="a kind that JSON does not have"):
        cell_value(cell, is_json=False)


@pytest.mark.parametrize(
    ("key", "kind", "value"),
    [
        ("007", str, "007"),
        ("7", int, 7),
        ("-7", int, -7),
        ("0", int, 0),
        (ID, UUID, UUID(ID)),
    ],
)
def test_a_key_is_brought_to_its_columns_kind(key: str, kind: type, value: object) -> None:
    assert key_value(key, kind) == value


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        *(
            (key, int)
            for key in ("007", "+7", "-0", "--7", "-", "7.0", "", "\u0667", "²", "9" * 19)
        ),
        *((key, UUID) for key in ("x", ID.upper(), ID.replace("-", ""), f"{{{ID}}}")),
    ],
)
def test_a_key_has_one_spelling(key: str, kind: type) -> None:
    assert key_value(key, kind) is None
