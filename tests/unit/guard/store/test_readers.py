import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from guard.errors import NotFoundError, StoreUnavailableError
from guard.ports import ReadView
from guard.rows import Situation, SituationQuery
from guard.store import SqlStore, ThreadedReaders
from guard.store.unit_of_work import SqlReadView
from tests.support.admissions import PATIENCE_S
from tests.support.makers import TENANT, make_principal, make_query, make_subject

pytestmark = pytest.mark.anyio


@contextmanager
def reading(store: SqlStore, deadline_s: float = PATIENCE_S) -> Iterator[ThreadedReaders]:
    readers = ThreadedReaders(store, deadline_s=deadline_s)
    try:
        yield readers
    finally:
        readers.close()


async def test_reads_see_what_is_committed(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.put_principal(make_principal())
    with reading(sqlite_store) as readers:
        assert await readers.read(lambda view: len(view.principals(TENANT))) == 1


async def test_an_error_in_a_read_is_the_callers(sqlite_store: SqlStore) -> None:
    def look(_view: ReadView) -> None:
        raise NotFoundError("not there")

    with reading(sqlite_store) as readers, pytest.raises(NotFoundError):
        await readers.read(look)


async def test_situations_share_their_statements(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([make_subject(f"c{n}") for n in range(20)])
    asked: list[int] = []
    gate = threading.Event()
    original = SqlReadView.situations

    def spy(view: SqlReadView, queries: Sequence[SituationQuery]) -> list[Situation]:
        gate.wait(PATIENCE_S)
        asked.append(len(queries))
        return original(view, queries)

    monkeypatch.setattr(SqlReadView, "situations", spy)
    with reading(sqlite_store) as readers:
        tasks = [asyncio.create_task(readers.situation(make_query(ref=f"c{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        gate.set()
        found = await asyncio.gather(*tasks)
    assert [one.subject.ref for one in found if one.subject is not None] == [
        f"c{n}" for n in range(20)
    ]
    assert sum(asked) == 20
    assert len(asked) <= 2


async def test_a_store_that_hangs_is_told_at_the_deadline(sqlite_store: SqlStore) -> None:
    gate = threading.Event()
    with reading(sqlite_store, deadline_s=0.05) as readers:
        with pytest.raises(StoreUnavailableError, match="deadline"):
            await readers.read(lambda _: gate.wait(PATIENCE_S))
        gate.set()
        assert await readers.read(lambda _: True)


async def test_a_failed_snapshot_fails_every_waiting_situation() -> None:
    class Broken(SqlStore):
        def __init__(self) -> None:
            """Open nothing."""

        def read(self) -> Any:  # noqa: ANN401 - never returns
            raise StoreUnavailableError("the store failed, try again")

    with reading(Broken()) as readers:
        results = await asyncio.gather(
            *(readers.situation(make_query()) for _ in range(3)), return_exceptions=True
        )
    assert [type(result) for result in results] == [StoreUnavailableError] * 3


async def test_a_read_that_nobody_waits_for_has_ended_when_closing_has(
    sqlite_store: SqlStore,
) -> None:
    started, go, ended = threading.Event(), threading.Event(), threading.Event()

    def look(_view: ReadView) -> None:
        started.set()
        go.wait(PATIENCE_S)
        ended.set()

    readers = ThreadedReaders(sqlite_store, deadline_s=PATIENCE_S)
    task = asyncio.create_task(readers.read(look))
    await asyncio.to_thread(started.wait, PATIENCE_S)
    task.cancel()
    closing = asyncio.create_task(asyncio.to_thread(readers.close))
    done, _ = await asyncio.wait({closing}, timeout=0.1)
    assert not done
    go.set()
    await closing
    assert ended.is_set()


# The answer must meet the cancel inside one turn of the loop: most of so many tries do.
MEETINGS = 20


async def test_a_cancel_that_meets_the_answer_is_not_lost(sqlite_store: SqlStore) -> None:
    loop = asyncio.get_running_loop()
    with reading(sqlite_store) as readers:
        for _ in range(MEETINGS):
            await cancelled_at_its_answer(loop, readers)


async def cancelled_at_its_answer(
    loop: asyncio.AbstractEventLoop, readers: ThreadedReaders
) -> None:
    is_ended = False

    async def reading_for_ever() -> None:
        while not is_ended:
            await readers.read(answer)
        pytest.fail("it went on after it was cancelled")

    def answer(_view: ReadView) -> None:
        loop.call_soon_threadsafe(lambda: loop.call_soon(cancel))

    def cancel() -> None:
        nonlocal is_ended
        is_ended = True
        task.cancel()

    task = asyncio.create_task(reading_for_ever())
    with pytest.raises(asyncio.CancelledError):
        await task
