"""Reading without blocking the event loop, within a deadline.

Single reads run on a small pool of threads. Situations, which every view asks for, are answered by
one thread that takes whatever is waiting: a lone caller waits for nobody, many share one set of
statements.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from guard.errors import StoreUnavailableError
from guard.ports import ReadView, Store
from guard.rows import Situation, SituationQuery

T = TypeVar("T")

THREADS = 4

# Queries answered with one set of statements; keeps the lists of parameters moderate.
BATCH = 256

# Beyond this the store is not keeping up, and waiting would only end at the deadline.
WAITING = 4096

_Ask = tuple[SituationQuery, "Future[Situation]"]


class ThreadedReaders:
    """`ports.Readers` over threads."""

    def __init__(self, store: Store, *, deadline_s: float) -> None:
        """Read from `store`; every answer comes within `deadline_s` or not at all."""
        self._store = store
        self._deadline_s = deadline_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-read")
        self._running: set[Future[Any]] = set()
        self._asked: queue.Queue[_Ask | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._drain, name="store-situations", daemon=True)
        self._thread.start()

    async def read(self, look: Callable[[ReadView], T]) -> T:
        """See `Readers.read`."""
        future = self._pool.submit(self._look, look)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return await self._within(future)

    async def situation(self, query: SituationQuery) -> Situation:
        """See `Readers.situation`."""
        answer: Future[Situation] = Future()
        try:
            self._asked.put_nowait((query, answer))
        except queue.Full:
            raise StoreUnavailableError("too many reads are waiting, try again") from None
        return await self._within(answer)

    def close(self) -> None:
        """Answer what is waiting, then stop.

        A read whose caller has gone still holds its connection: whoever closes the store next must
        find it given back.
        """
        self._asked.put(None)
        self._thread.join(self._deadline_s)
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(tuple(self._running), self._deadline_s)

    def _look(self, look: Callable[[ReadView], T]) -> T:
        with self._store.read() as view:
            return look(view)

    async def _within(self, future: "Future[T]") -> T:
        try:
            # Not `wait_for`: up to Python 3.11 it loses a cancel that meets the answer, and a task
            # that reads in a loop could then not be ended.
            async with asyncio.timeout(self._deadline_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise StoreUnavailableError(
                "the store did not answer before the deadline, try again"
            ) from None

    def _drain(self) -> None:
        is_open = True
        while is_open:
            batch = []
            asked = self._asked.get()
            while asked is not None:
                batch.append(asked)
                if len(batch) == BATCH or self._asked.empty():
                    break
                asked = self._asked.get()
            is_open = asked is not None
            self._answer([ask for ask in batch if ask[1].set_running_or_notify_cancel()])

    def _answer(self, batch: Sequence[_Ask]) -> None:
        if not batch:
            return
        try:
            with self._store.read() as view:
                found = view.situations([query for query, _ in batch])
        except Exception as error:  # noqa: BLE001 - not swallowed: it is raised in every caller
            for _, answer in batch:
                answer.set_exception(error)
        else:
            for (_, answer), situation in zip(batch, found, strict=True):
                answer.set_result(situation)
