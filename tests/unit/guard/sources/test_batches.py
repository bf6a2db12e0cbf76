import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from guard.errors import SourceError
from guard.sources import batches
from guard.sources.batches import Found, SharedReads

PLAN = frozenset({"plan"})
MAIL = frozenset({"email"})

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """A blocking source that remembers its calls and can be held up."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], frozenset[str]]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None

    def read(self, keys: Sequence[str], paths: frozenset[str]) -> Found:
        self.calls.append((list(keys), paths))
        self.entered.set()
        self.gate.wait(5)
        if self.failure is not None:
            raise self.failure
        return {
            key: SourceError("this one is odd") if key == "odd" else dict.fromkeys(paths, key)
            for key in keys
            if key != "nobody"
        }


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def reads(desk: Desk) -> AsyncIterator[SharedReads]:
    shared = SharedReads("desk", desk.read, threads=1, deadline_s=5)
    yield shared
    desk.gate.set()
    await shared.close()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is waited for happens in a thread
        await asyncio.sleep(0)


async def test_what_is_asked_in_one_turn_is_one_call_for_each_set_of_fields(
    desk: Desk, reads: SharedReads
) -> None:
    keys = [str(n % 50) for n in range(100)]
    asks = [(key, paths) for key in keys for paths in (PLAN, MAIL)]
    found = await asyncio.gather(*(reads.fetch(key, paths) for key, paths in asks))
    assert found == [dict.fromkeys(paths, key) for key, paths in asks]
    assert len(desk.calls) == 2
    assert all(sorted(seen) == sorted(set(keys)) for seen, _ in desk.calls)


async def test_what_queues_up_behind_a_slow_call_is_read_together(
    desk: Desk, reads: SharedReads
) -> None:
    desk.gate.clear()
    tasks = [asyncio.create_task(reads.fetch("first", PLAN))]
    await until(desk.entered.is_set)
    for n in range(20):
        tasks.append(asyncio.create_task(reads.fetch(str(n), PLAN)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    desk.gate.set()
    await asyncio.gather(*tasks)
    assert len(desk.calls) == 2


async def test_many_keys_are_read_in_bounded_chunks(
    desk: Desk, reads: SharedReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_KEYS", 7)
    found = await asyncio.gather(*(reads.fetch(str(n), PLAN) for n in range(20)))
    assert found == [{"plan": str(n)} for n in range(20)]
    assert [len(keys) for keys, _ in desk.calls] == [7, 7, 6]


async def test_one_odd_record_fails_its_own_caller_only(desk: Desk, reads: SharedReads) -> None:
    asks = (reads.fetch(key, PLAN) for key in ("7", "odd", "nobody", "odd"))
    good, bad, none, again = await asyncio.gather(*asks, return_exceptions=True)
    assert good == {"plan": "7"}
    assert none is None
    assert isinstance(bad, SourceError)
    assert isinstance(again, SourceError)
    assert bad is not again
    assert len(desk.calls) == 1


async def test_a_failing_call_is_told_to_each_caller_without_its_text(
    desk: Desk, reads: SharedReads
) -> None:
    desk.failure = ValueError("customer Maria")
    for error in await asyncio.gather(
        reads.fetch("7", PLAN), reads.fetch("8", PLAN), return_exceptions=True
    ):
        assert isinstance(error, SourceError)
        assert str(error) == "source `desk` failed with ValueError, see its own log"
        assert error.__cause__ is error.__context__ is None
    desk.failure = SourceError("down")
    with pytest.raises(SourceError, match="down"):
        await reads.fetch("7", PLAN)
    desk.failure = None
    assert await reads.fetch("7", PLAN) == {"plan": "7"}


async def test_a_caller_that_went_away_is_not_read_for(desk: Desk, reads: SharedReads) -> None:
    desk.gate.clear()
    held = asyncio.create_task(reads.fetch("held", PLAN))
    await until(desk.entered.is_set)
    gone, stays = (asyncio.create_task(reads.fetch(key, PLAN)) for key in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    held.cancel()
    await asyncio.sleep(0)
    desk.gate.set()
    assert await stays == {"plan": "stays"}
    assert held.cancelled()
    assert desk.calls[1:] == [(["stays"], PLAN)]


async def test_a_call_that_takes_too_long_is_an_error_and_the_next_works(desk: Desk) -> None:
    reads = SharedReads("desk", desk.read, threads=1, deadline_s=0.05)
    desk.gate.clear()
    with pytest.raises(SourceError, match=r"`desk` did not answer within 0\.05 s, try again"):
        await reads.fetch("7", PLAN)
    desk.gate.set()
    await until(lambda: not reads._waiting)  # noqa: SLF001 - nothing else tells that it is idle
    await reads.close()


async def test_too_many_waiting_are_turned_away(
    desk: Desk, reads: SharedReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_WAITING", 3)
    found = await asyncio.gather(
        *(reads.fetch("7", PLAN) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(f, SourceError) for f in found] == [False] * 3 + [True] * 2
    assert await reads.fetch("7", PLAN) == {"plan": "7"}
    assert len(desk.calls) == 2


async def test_what_was_asked_before_closing_is_answered(desk: Desk) -> None:
    reads = SharedReads("desk", desk.read, threads=3, deadline_s=5)
    task = asyncio.create_task(reads.fetch("7", PLAN))
    await asyncio.sleep(0)
    await reads.close()
    await reads.close()
    assert await task == {"plan": "7"}
    with pytest.raises(SourceError, match="`desk` is closed"):
        await reads.fetch("7", PLAN)


async def test_a_loop_that_ended_while_waiting_disturbs_no_other(desk: Desk) -> None:
    reads = SharedReads("desk", desk.read, threads=1, deadline_s=5)
    desk.gate.clear()

    async def briefly() -> None:
        task = asyncio.create_task(reads.fetch("gone", PLAN))
        await asyncio.to_thread(desk.entered.wait, 5)
        task.cancel()

    await asyncio.to_thread(asyncio.run, briefly())
    desk.gate.set()
    assert await reads.fetch("7", PLAN) == {"plan": "7"}
    await reads.close()
