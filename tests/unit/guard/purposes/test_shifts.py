import pytest

from guard.clock import HOUR, from_rfc3339
from guard.errors import InvalidRequestError
from guard.principals import Shift
from guard.purposes.shifts import is_on_shift, is_routed, zone
from tests.support.makers import NOON

WEEKDAYS = frozenset({1, 2, 3, 4, 5})


def shift(start: int, end: int, tz: str = "UTC", days: frozenset[int] = WEEKDAYS) -> Shift:
    return Shift(tz=tz, start=start * 60, end=end * 60, days=days)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T08:29:59Z", False),
        ("2026-11-20T08:30:00Z", True),
        ("2026-11-20T17:29:59Z", True),
        ("2026-11-20T17:30:00Z", False),
        ("2026-11-21T12:00:00Z", False),
    ],
)
def test_a_day_shift_has_half_an_hour_of_grace_on_its_weekdays(at: str, *, expected: bool) -> None:
    assert is_on_shift(shift(9, 17), from_rfc3339(at)) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T22:00:00Z", True),
        ("2026-11-21T05:59:00Z", True),
        ("2026-11-21T22:00:00Z", False),
        ("2026-11-16T05:00:00Z", False),
        ("2026-11-20T14:00:00Z", False),
    ],
)
def test_a_night_shift_belongs_to_the_day_on_which_it_starts(at: str, *, expected: bool) -> None:
    assert is_on_shift(shift(22, 6), from_rfc3339(at)) is expected


def test_a_shift_from_midnight_has_its_grace_on_the_evening_before() -> None:
    assert is_on_shift(shift(0, 8), from_rfc3339("2026-11-19T23:45:00Z"))


def test_equal_start_and_end_is_the_whole_day() -> None:
    assert is_on_shift(shift(6, 6), from_rfc3339("2026-11-20T03:00:00Z"))


def test_a_shift_follows_the_wall_clock_of_its_zone_over_a_change_of_hour() -> None:
    berlin = shift(9, 17, "Europe/Berlin", frozenset(range(1, 8)))
    assert is_on_shift(berlin, from_rfc3339("2026-10-24T06:45:00Z"))
    assert not is_on_shift(berlin, from_rfc3339("2026-10-25T07:15:00Z"))


def test_somebody_without_a_roster_is_always_on_shift() -> None:
    assert is_on_shift(None, 0)


@pytest.mark.parametrize("name", ["Nowhere/Town", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        zone(name)


@pytest.mark.parametrize(
    ("routed_at", "is_at_work"),
    [(None, False), (NOON, True), (NOON - 2 * HOUR, True), (NOON - 2 * HOUR - 1, False)],
)
def test_whom_contacts_still_come_to_is_at_work(routed_at: int | None, is_at_work: bool) -> None:  # noqa: FBT001 - a row of the table
    assert is_routed(routed_at, NOON) is is_at_work


def test_a_contact_of_the_future_says_nothing() -> None:
    assert not is_routed(NOON + 1, NOON)
