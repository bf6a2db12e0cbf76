import asyncio

import pytest

from guard.errors import SourceError
from guard.source_reads import CountedSource, ReadCounter, noted, noting
from guard.sources.memory import MemorySource

pytestmark = pytest.mark.anyio

FIELDS = frozenset({"email"})


class Uncounted:
    name = "crm"

    async def fetch(self, key: str, paths: frozenset[str]) -> None:
        assert key
        assert paths

    async def check(self) -> None:
        raise SourceError("down")

    async def close(self) -> None:
        raise SourceError("closed twice")


class Mono:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_read_is_numbered_and_noted_also_in_a_task_of_the_block() -> None:
    counter = ReadCounter()
    source = CountedSource(MemorySource("crm", {"1": {}}), counter)
    await source.fetch("1", FIELDS)
    with noting() as numbers:
        assert noted() == []
        async with asyncio.TaskGroup() as group:
            group.create_task(source.fetch("1", FIELDS))
            group.create_task(source.fetch("2", FIELDS))
        assert noted() == numbers == [1, 2]
    assert noted() == []
    assert counter.open() == [0, 1, 2]
    assert counter.by_source == {"crm": 3}
    assert await source.served() == 3


async def test_a_number_is_taken_before_the_source_is_asked() -> None:
    counter = ReadCounter()
    source = MemorySource("crm", {})
    counted = CountedSource(source, counter)
    await counted.check()
    await counted.close()
    with pytest.raises(SourceError):
        await counted.fetch("1", FIELDS)
    assert counter.total == 1


async def test_a_source_without_a_count_of_its_own_has_none() -> None:
    counted = CountedSource(Uncounted(), ReadCounter())
    assert await counted.served() is None
    with pytest.raises(SourceError):
        await counted.check()


def test_numbers_run_ahead_of_the_log_only_so_far() -> None:
    counter = ReadCounter(allowance=4)
    asked: list[int] = []
    counter.on_low = lambda: asked.append(counter.total)
    for _ in range(4):
        counter.begin("crm")
    assert asked == [2, 3, 4]
    with pytest.raises(SourceError):
        counter.begin("crm")
    assert counter.total == 4
    assert counter.allow(4) == 8
    assert counter.allow(1) == 8
    counter.begin("crm")
    assert counter.open() == [0, 1, 2, 3, 4]


def test_late_are_those_that_no_entry_named_in_time() -> None:
    mono = Mono()
    counter = ReadCounter(mono=mono)
    counter.begin("crm")
    counter.begin("crm")
    counter.accounted(1)
    counter.accounted(17)
    mono.now = 10.0
    counter.begin("crm")
    assert counter.late(10.0) == [0]
    assert counter.open() == [0, 2]
