from datetime import date, timedelta

import pytest

from guard.masking.scalars import Scalar, UnmaskableError
from tests.unit.guard.masking.support import context, in_digits, keyed, mask


def days(subject: str, value: str = "2026-03-02", **params: int) -> int:
    shown = keyed("date_shift", context(subject), **params)(value)
    return (date.fromisoformat(str(shown)) - date(2026, 3, 2)).days


def test_all_dates_of_one_customer_move_alike_in_every_scope() -> None:
    shift = timedelta(days("cust_1"))
    for scope in ("case:1", "case:2"):
        moved = keyed("date_shift", context(scope=scope))
        for day in (date(1990, 2, 3), date(2026, 3, 2)):
            assert moved(day.isoformat()) == (day + shift).isoformat()


def test_customers_move_by_days_of_the_range_and_never_by_none() -> None:
    seen = {days(f"cust_{n}", lo=-3, hi=3) for n in range(200)}
    assert seen == {-3, -2, -1, 1, 2, 3}


def test_the_time_and_its_zone_are_kept() -> None:
    shown = str(keyed("date_shift")("2026-03-02T10:11:12.5+02:00"))
    assert shown.endswith("T10:11:12.5+02:00")
    assert not shown.startswith("2026-03-02")
    assert keyed("date_shift")(in_digits("arabic", "2026-03-02")) == shown[:10]


def test_empty_stays_empty() -> None:
    assert keyed("date_shift")("") == ""


@pytest.mark.parametrize("value", [None, 3, "soon", "2026-02-30", "2026-03-02 at ten"])
def test_what_is_no_date_is_refused(value: Scalar) -> None:
    with pytest.raises((UnmaskableError, ValueError)):
        keyed("date_shift")(value)


def test_a_date_that_leaves_the_calendar_is_refused() -> None:
    with pytest.raises(OverflowError):
        keyed("date_shift", lo=1, hi=30)("9999-12-31")


@pytest.mark.parametrize("params", [{"lo": 3, "hi": 2}, {"lo": 0, "hi": 0}])
def test_a_range_without_a_day_is_refused(params: dict[str, int]) -> None:
    with pytest.raises(UnmaskableError, match="needs `lo` below `hi`"):
        keyed("date_shift", context(), **params)


def test_without_a_key_it_refuses() -> None:
    with pytest.raises(UnmaskableError):
        mask("date_shift")("2026-03-02")
