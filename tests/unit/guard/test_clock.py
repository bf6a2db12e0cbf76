import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.clock import (
    HOUR,
    MAX_LEAP,
    SECOND,
    DomainClock,
    ManualClock,
    Rate,
    from_rfc3339,
    monotonic,
    to_rfc3339,
    wall_micros,
)

START = from_rfc3339("2026-11-21T12:00:00Z")


class Machine:
    """A machine's wall and monotonic clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.mono = START, 100.0

    def passes(self, seconds: float, wall: float | None = None) -> None:
        self.mono += seconds
        self.wall += int((seconds if wall is None else wall) * SECOND)


def clock(machine: Machine, rate: float = 1.0, floor: int = 0) -> DomainClock:
    return DomainClock(
        Rate(origin=START, wall_origin=START, rate=rate),
        floor=floor,
        wall=lambda: machine.wall,
        mono=lambda: machine.mono,
    )


def test_it_follows_the_wall_clock_at_its_rate() -> None:
    machine = Machine()
    fast = clock(machine, rate=60.0)
    machine.passes(2)
    assert fast.now() == START + 120 * SECOND


def test_it_never_runs_back_and_waits_a_set_back_wall_clock_out() -> None:
    machine = Machine()
    told = clock(machine)
    machine.passes(10)
    before = told.now()
    machine.passes(1, wall=-3600)
    assert told.now() == before


def test_a_leap_of_the_wall_clock_is_not_followed_however_often_it_is_read() -> None:
    machine = Machine()
    told = clock(machine)
    machine.passes(0, wall=24 * 3600)
    for _ in range(1000):
        machine.passes(0.01)
        told.now()
    assert told.now() - (START + 10 * SECOND + MAX_LEAP) < 0.01 * SECOND


def test_a_crystal_that_drifts_is_followed() -> None:
    machine = Machine()
    told = clock(machine)
    for _ in range(30 * 24):
        machine.passes(3600, wall=3600.2)
        told.now()
    assert told.now() == machine.wall


def test_it_starts_no_earlier_than_the_newest_time_in_the_store() -> None:
    assert clock(Machine(), floor=START + HOUR).now() == START + HOUR


def test_a_manual_clock_moves_only_forward_and_only_when_told() -> None:
    told = ManualClock(5)
    told.advance(2)
    assert told.now() == 7
    with pytest.raises(ValueError, match="run back"):
        told.advance(-1)


@given(st.integers(0, 2**52))
def test_a_time_survives_being_written_and_read(at: int) -> None:
    assert from_rfc3339(to_rfc3339(at)) == at


def test_offsets_are_honoured_and_demanded() -> None:
    assert from_rfc3339("2026-11-21T13:00:00+01:00") == START
    with pytest.raises(ValueError, match="has no offset"):
        from_rfc3339("2026-11-21T13:00:00")


def test_the_machines_own_clocks_move_forward() -> None:
    assert wall_micros() <= wall_micros()
    assert monotonic() <= monotonic()
