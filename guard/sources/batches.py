"""Reads that share: what is asked at the same moment becomes one call to the source.

Asks of one turn of the event loop travel together to a reader thread; a thread that was busy also
takes what has queued up meanwhile. Asks for the same fields become one call with many keys. So N
concurrent reads cost as many calls as there are different sets of fields, and a source never sees
more than `threads` at a time.

An ask whose caller went away, or whose deadline passed, is dropped before its read and ignored
after it; it disturbs nobody else in its batch.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from guard.errors import SourceError

Values: TypeAlias = dict[str, object]
Found: TypeAlias = Mapping[str, Values | SourceError]
Read: TypeAlias = Callable[[Sequence[str], frozenset[str]], Found]

# Keys of one call: below every engine's limit of parameters.
MAX_KEYS = 500

# More callers than this are waiting for a source that does not answer: turn others away at once.
MAX_WAITING = 4_096


@dataclass(slots=True, eq=False)
class _Ask:
    key: str
    paths: frozenset[str]
    future: asyncio.Future[Values | None]
    loop: asyncio.AbstractEventLoop


class SharedReads:
    """Reader threads in front of a blocking `read`. Belongs to one event loop at a time.

    `read` takes distinct keys and the wanted fields, and gives the values or the failure of each
    key that exists; a SourceError that it raises is everybody's in the batch.
    """

    def __init__(self, name: str, read: Read, *, threads: int, deadline_s: float) -> None:
        """Start the threads."""
        self._name = name
        self._read = read
        self._deadline_s = deadline_s
        self._queue: SimpleQueue[list[_Ask] | None] = SimpleQueue()
        self._pending: list[_Ask] = []
        self._waiting = 0
        self._is_closed = False
        self._threads = [
            Thread(target=self._serve, name=f"source-{name}-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def fetch(self, key: str, paths: frozenset[str]) -> Values | None:
        """Read one record, together with whatever else is being asked for.

        Raises:
            SourceError: It failed, took too long, or too many are waiting.
        """
        if self._is_closed:
            raise self._closed()
        if self._waiting >= MAX_WAITING:
            raise SourceError(f"source `{self._name}` is overloaded, try again later")
        loop = asyncio.get_running_loop()
        ask = _Ask(key, paths, loop.create_future(), loop)
        if not self._pending:
            loop.call_soon(self._send)
        self._pending.append(ask)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._deadline_s):
                return await ask.future
        except TimeoutError:
            raise SourceError(
                f"source `{self._name}` did not answer within {self._deadline_s:g} s, try again"
            ) from None
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Refuse what is new, answer what is queued, and end the threads."""
        if self._is_closed:
            return
        self._is_closed = True
        self._send()
        for _ in self._threads:
            self._queue.put(None)
        # A thread that hangs in its source is left to die with the process.
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(self._deadline_s)

    def _closed(self) -> SourceError:
        return SourceError(f"source `{self._name}` is closed")

    def _send(self) -> None:
        asks, self._pending = self._pending, []
        self._queue.put(asks)

    def _serve(self) -> None:
        is_last = False
        while not is_last:
            asks = self._queue.get()
            batch: list[_Ask] = []
            while asks is not None:
                batch.extend(asks)
                try:
                    asks = self._queue.get_nowait()
                except Empty:
                    break
            else:
                is_last = True
            self._answer(batch)

    def _answer(self, batch: list[_Ask]) -> None:
        groups: dict[frozenset[str], list[_Ask]] = {}
        for ask in batch:
            if not ask.future.done():
                groups.setdefault(ask.paths, []).append(ask)
        for paths, asks in groups.items():
            keys = list(dict.fromkeys(ask.key for ask in asks))
            found: dict[str, Values | SourceError] = {}
            for at in range(0, len(keys), MAX_KEYS):
                chunk = keys[at : at + MAX_KEYS]
                found.update(self._found(chunk, paths))
            self._deliver(asks, found)

    def _found(self, keys: list[str], paths: frozenset[str]) -> Found:
        try:
            return self._read(keys, paths)
        except SourceError as error:
            return dict.fromkeys(keys, error)
        except Exception as error:  # noqa: BLE001 - every waiting caller gets it; the text may hold a value
            kind = type(error).__name__
            failure = SourceError(f"source `{self._name}` failed with {kind}, see its own log")
            return dict.fromkeys(keys, failure)

    @staticmethod
    def _deliver(asks: list[_Ask], found: Found) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Ask]] = {}
        for ask in asks:
            by_loop.setdefault(ask.loop, []).append(ask)
        for loop, mine in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, mine, found)
            except RuntimeError:
                continue  # the loop is closed, and its callers with it


def _settle(asks: list[_Ask], found: Found) -> None:
    for ask in asks:
        if ask.future.done():
            continue
        values = found.get(ask.key)
        if isinstance(values, SourceError):
            # One exception must not be raised in two tasks: each gets its own.
            ask.future.set_exception(SourceError(str(values)))
        else:
            ask.future.set_result(None if values is None else dict(values))
