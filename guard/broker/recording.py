"""What a try ends in when it is not carried out: the entry of a refusal or of a failure.

An entry of an act that is carried out is not made here: it is appended by the admission, in the one
transaction with what it charges (`guard.broker.admitting`).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from guard.admission import GroupCommitter
from guard.attempts import Attempt, Refusal
from guard.entries import NewEntry, Receipt
from guard.views import Refused

T = TypeVar("T")


class Recording:
    """Appends entries that charge nothing. One per broker."""

    def __init__(self, committer: GroupCommitter) -> None:
        """Append through `committer`."""
        self._committer = committer
        self._running: set[asyncio.Task[Any]] = set()

    async def refuse(self, attempt: Attempt, refusal: Refusal) -> Refused:
        """End a try in a refusal."""
        return refusal.answer(await self.record(attempt.refused(refusal)))

    async def fail(self, attempt: Attempt, error: BaseException) -> None:
        """Record that a permitted act ended without being carried out."""
        await self.record(attempt.failed(error))

    async def record(self, entry: NewEntry) -> Receipt:
        """Append one entry that charges nothing."""
        return await self._committer.run(lambda tx: tx.record(entry))

    def start(self, work: Coroutine[None, None, T]) -> None:
        """Carry `work` through to its end, though nobody waits for it."""
        self._begun(work)  # type: ignore[unused-awaitable] # kept among the running ones

    async def finished(self, work: Coroutine[None, None, T]) -> T:
        """Carry `work` through to its end, even when nobody waits for it any more."""
        return await asyncio.shield(self._begun(work))

    def _begun(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
