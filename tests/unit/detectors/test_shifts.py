from dataclasses import replace

import pytest

from detectors.shifts import on_shift
from guard.clock import MINUTE
from guard.events import AgentProfile
from tests.unit.detectors.making import MONDAY

NINE_TO_SIX = AgentProfile(agent_id="ann", shift_start=9 * 60)


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        (8 * 60 + 14, False),
        (8 * 60 + 15, True),
        (12 * 60, True),
        (19 * 60 + 14, True),
        (19 * 60 + 15, False),
        (2 * 60, False),
    ],
)
def test_a_shift_has_grace_on_both_sides(minute: int, *, expected: bool) -> None:
    assert on_shift(NINE_TO_SIX, MONDAY + minute * MINUTE) is expected


def test_a_night_shift_crosses_midnight() -> None:
    night = replace(NINE_TO_SIX, shift_start=22 * 60)
    assert on_shift(night, MONDAY + 3 * 60 * MINUTE) is True
    assert on_shift(night, MONDAY + 15 * 60 * MINUTE) is False


def test_the_agents_own_zone_counts() -> None:
    bogota = replace(NINE_TO_SIX, tz="America/Bogota")
    assert on_shift(bogota, MONDAY + 9 * 60 * MINUTE) is False
    assert on_shift(bogota, MONDAY + 14 * 60 * MINUTE) is True


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../etc/passwd"])
def test_an_unknown_zone_counts_as_utc(zone: str) -> None:
    assert on_shift(replace(NINE_TO_SIX, tz=zone), MONDAY + 12 * 60 * MINUTE) is True


def test_without_a_shift_nothing_is_known() -> None:
    assert on_shift(replace(NINE_TO_SIX, shift_start=None), MONDAY) is None
