import asyncio

import pytest

from guard.errors import SourceError
from guard.source_reads import ReadCounter, noted, noting
from guard.sources.counted import CountedSource
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
