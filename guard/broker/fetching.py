"""Fetch: the fields that will show, from the customer's source, masked before they go further.

A fetch that fails, is cancelled or takes too long ends in an entry like every other try: what was
asked of a source is in the log.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from guard.attempts import Attempt
from guard.broker.deciding import Decided
from guard.broker.parts import Parts
from guard.broker.recording import Recording
from guard.errors import NotFoundError, SourceError
from guard.rows import RawRecord, SubjectRow
from guard.source_reads import noted

T = TypeVar("T")


class Fetching:
    """Reads records from their sources. One per broker."""

    def __init__(self, parts: Parts, recording: Recording) -> None:
        """Fetch by these parts; a failure goes to `recording`."""
        self._parts, self._recording = parts, recording

    async def fetched(
        self, decided: Decided, fields: frozenset[str], use: Callable[[RawRecord], T]
    ) -> tuple[T, Attempt]:
        """Fetch top-level `fields` and hand the record to `use`, one of masking's own.

        The try comes back with it: its entry now accounts for the read. A try that fails here ends
        in an entry: also a cancelled caller, and an error that nobody expected. What was asked of
        the source is in the log.
        """
        try:
            used = use(await self._fetch(decided.subject, fields))
        except BaseException as error:
            await asyncio.shield(self._recording.fail(accounting(decided.attempt), error))
            raise
        return used, accounting(decided.attempt)

    async def _fetch(self, subject: SubjectRow, fields: frozenset[str]) -> RawRecord:
        source = self._parts.sources.get(subject.source)
        if source is None:
            raise SourceError("this customer's source is not configured: check the mapping file")
        key = self._parts.keyring.source_key(subject)
        try:
            async with asyncio.timeout(self._parts.source_deadline_s):
                raw = await source.fetch(key, fields)
        except TimeoutError:
            raise SourceError("the record source did not answer in time, try again") from None
        if raw is None:
            raise NotFoundError("the customer's record is gone from its source")
        return raw


def accounting(attempt: Attempt) -> Attempt:
    """The same try; its entry names every read that was made for it so far."""
    reads = noted()
    return attempt.with_body(reads=reads) if reads else attempt
