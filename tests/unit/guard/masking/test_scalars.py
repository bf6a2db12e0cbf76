from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest

from guard.masking.scalars import MAX_TEXT, UnmaskableError, scalar, text_of


def repr_head(value: object) -> str:
    return "object" if type(value) is object else repr(value)[:24]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        ("é", "é"),
        (5, 5),
        (1.5, 1.5),
        (Decimal("12.50"), "12.50"),
        (date(1990, 2, 3), "1990-02-03"),
        (datetime(1990, 2, 3, 4, tzinfo=UTC), "1990-02-03T04:00:00+00:00"),
        (time(4, 5), "04:05:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)
def test_what_drivers_give_becomes_a_scalar(value: object, shown: object) -> None:
    assert scalar(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1},
        ["a"],
        b"bytes",
        object(),
        2**63,
        -(2**63) - 1,
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("1e999999"),
        "x" * (MAX_TEXT + 1),
    ],
    ids=repr_head,
)
def test_everything_else_is_refused(value: object) -> None:
    with pytest.raises(UnmaskableError):
        scalar(value)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        scalar("\ud800")


def test_text_is_made_of_strings_and_integers_only() -> None:
    assert text_of("e\u0301") == "é"
    assert text_of(5) == "5"
    for value in (True, 1.5, None):
        with pytest.raises(UnmaskableError):
            text_of(value)
