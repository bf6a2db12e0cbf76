"""A source whose reads are numbered: the wrapper that `api.bootstrap` puts round every source."""

from guard.ports import CountsReads, RecordSource
from guard.rows import RawRecord
from guard.source_reads import ReadCounter


class CountedSource:
    """A `RecordSource` whose reads are numbered."""

    def __init__(self, inner: RecordSource, counter: ReadCounter) -> None:
        """Read from `inner`."""
        self.name = inner.name
        self._inner, self._counter = inner, counter

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """See `RecordSource.fetch`."""
        self._counter.take(self.name)
        return await self._inner.fetch(key, paths)

    async def served(self) -> int | None:
        """How many reads the source itself says that it has answered; None: it keeps no count.

        Raises:
            SourceError: It could not be asked.
        """
        if isinstance(self._inner, CountsReads):
            return await self._inner.reads_served()
        return None

    async def check(self) -> None:
        """See `RecordSource.check`."""
        await self._inner.check()

    async def close(self) -> None:
        """See `RecordSource.close`."""
        await self._inner.close()
