import pytest

from guard.errors import SourceError
from guard.source_reads import ReadCounter, noted, noting


class Mono:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_numbers_run_ahead_of_the_log_only_so_far() -> None:
    counter = ReadCounter(allowance=4)
    asked: list[int] = []
    counter.on_low = lambda: asked.append(counter.total)
    for _ in range(4):
        counter.take("crm")
    assert asked == [2, 3, 4]
    with pytest.raises(SourceError):
        counter.take("crm")
    assert counter.total == 4
    assert counter.allow(4) == 8
    assert counter.allow(1) == 8
    counter.take("crm")
    assert counter.open() == [0, 1, 2, 3, 4]


def test_late_are_those_that_no_entry_named_in_time() -> None:
    mono = Mono()
    counter = ReadCounter(mono=mono)
    counter.take("crm")
    counter.take("crm")
    counter.accounted(1)
    counter.accounted(17)
    mono.now = 10.0
    counter.take("crm")
    assert counter.late(10.0) == [0]
    assert counter.open() == [0, 2]


def test_numbers_are_noted_by_the_innermost_block_alone() -> None:
    counter = ReadCounter()
    assert noted() == []
    with noting() as outer:
        counter.take("crm")
        with noting() as inner:
            counter.take("crm")
        assert noted() == outer == [0]
    assert inner == [1]
    assert noted() == []
