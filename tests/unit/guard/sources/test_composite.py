import asyncio
from collections.abc import Mapping

import pytest

from guard.errors import ConfigurationError, SourceError
from guard.rows import RawRecord
from guard.sources import ComposedRecord, CompositeSource, MemorySource, Part

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Scripted:
    """A source that fails, hangs or gives what it is told, and remembers how it was used."""

    def __init__(
        self,
        name: str,
        values: Mapping[str, object] | None = None,
        *,
        failure: Exception | None = None,
        hangs: bool = False,
    ) -> None:
        self.name = name
        self.values = values
        self.failure = failure
        self.hangs = hangs
        self.asked: list[frozenset[str]] = []
        self.log: list[str] = []

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        self.asked.append(paths)
        try:
            if self.hangs:
                await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        if self.failure is not None:
            raise self.failure
        assert key
        return None if self.values is None else RawRecord(self.values)

    async def check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        self.log.append("closed")


def joined(*sources: Scripted, optional: tuple[str, ...] = ()) -> CompositeSource:
    """Each source owns the field of its own name."""
    parts = [
        Part(source=s, fields=frozenset({s.name}), is_optional=s.name in optional) for s in sources
    ]
    return CompositeSource("all", parts, deadline_s=0.05)


ABC = frozenset("abc")
DOWN = SourceError("source `b` is down")


async def test_each_source_is_asked_for_what_it_owns_and_may_give_no_more() -> None:
    a = Scripted("a", {"a": 1, "b": "not a's"})
    b = Scripted("b", {"b": 2})
    c = Scripted("c", {"c": 3})
    record = await joined(a, b, c).fetch("7", frozenset({"a", "b", "x"}))
    assert isinstance(record, ComposedRecord)
    assert record.values == {"a": 1, "b": 2}
    assert record.missing == frozenset()
    assert (a.asked, b.asked, c.asked) == ([frozenset("a")], [frozenset("b")], [])


async def test_the_first_source_says_who_is_a_customer() -> None:
    a = Scripted("a")
    b = Scripted("b", {"b": 2})
    assert await joined(a, b).fetch("7", frozenset("b")) is None
    assert a.asked == [frozenset()]


async def test_a_customer_who_is_unknown_elsewhere_lacks_those_fields() -> None:
    record = await joined(Scripted("a", {"a": 1}), Scripted("b")).fetch("7", ABC)
    assert isinstance(record, ComposedRecord)
    assert (record.values, record.missing) == ({"a": 1}, frozenset())


async def test_a_source_that_fails_fails_the_profile_and_stops_the_others() -> None:
    c = Scripted("c", hangs=True)
    with pytest.raises(SourceError, match="`b` is down") as caught:
        await joined(Scripted("a", {"a": 1}), Scripted("b", failure=DOWN), c).fetch("7", ABC)
    assert caught.value is DOWN
    assert c.log == ["cancelled"]


async def test_a_source_that_is_late_fails_the_profile() -> None:
    with pytest.raises(SourceError, match=r"`b` did not answer within 0\.05 s"):
        await joined(Scripted("a", {"a": 1}), Scripted("b", hangs=True)).fetch("7", ABC)


@pytest.mark.parametrize("b", [Scripted("b", failure=DOWN), Scripted("b", hangs=True)])
async def test_what_an_optional_source_owns_is_absent_and_listed(b: Scripted) -> None:
    a, c = Scripted("a", {"a": 1}), Scripted("c", {"c": 3})
    record = await joined(a, b, c, optional=("b",)).fetch("7", ABC)
    assert isinstance(record, ComposedRecord)
    assert (record.values, record.missing) == ({"a": 1, "c": 3}, frozenset("b"))
    assert repr(record) == "RawRecord(…)"
    assert not hasattr(record, "__dict__")


async def test_a_mistake_in_an_optional_source_is_not_hidden() -> None:
    b = Scripted("b", failure=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await joined(Scripted("a", {"a": 1}), b, optional=("b",)).fetch("7", ABC)


async def test_a_cancelled_caller_stops_every_part() -> None:
    a, b = Scripted("a", hangs=True), Scripted("b", hangs=True)
    task = asyncio.create_task(joined(a, b).fetch("7", ABC))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert a.log == b.log == ["cancelled"]


async def test_the_check_asks_what_a_profile_cannot_do_without() -> None:
    broken = Scripted("b", failure=DOWN)
    await joined(Scripted("a"), broken, optional=("b",)).check()
    with pytest.raises(SourceError, match="`b` is down"):
        await joined(Scripted("a"), broken).check()


async def test_closing_closes_every_part() -> None:
    a, b = Scripted("a"), Scripted("b")
    await joined(a, b).close()
    assert a.log == b.log == ["closed"]


async def test_parts_that_cannot_make_a_profile_are_refused() -> None:
    a = Part(source=MemorySource("a", {}), fields=frozenset("x"), is_optional=True)
    b = Part(source=MemorySource("b", {}), fields=frozenset("x"), is_optional=False)
    for parts in ([], [a], [b, a]):
        with pytest.raises(ConfigurationError, match="source `all`"):
            CompositeSource("all", parts, deadline_s=1)
