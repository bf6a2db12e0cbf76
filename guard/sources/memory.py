"""Records held in memory: for tests, demonstrations and embedding programs."""

from collections.abc import Mapping

from guard.errors import SourceError
from guard.rows import RawRecord


class MemorySource:
    """Records by key, as the mapping holds them at the moment of the read."""

    def __init__(self, name: str, records: Mapping[str, Mapping[str, object]]) -> None:
        """Serve `records`, which the caller may go on changing."""
        self.name = name
        self._records = records
        self._is_closed = False
        self._served = 0

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """See `guard.ports.RecordSource.fetch`."""
        await self.check()
        self._served += 1
        record = self._records.get(key)
        if record is None:
            return None
        if not isinstance(record, Mapping):
            raise SourceError(f"source `{self.name}` holds something that is not a record")
        return RawRecord({path: record[path] for path in paths if path in record})

    async def reads_served(self) -> int:
        """See `guard.ports.CountsReads.reads_served`."""
        return self._served

    async def check(self) -> None:
        """See `guard.ports.RecordSource.check`."""
        if self._is_closed:
            raise SourceError(f"source `{self.name}` is closed")

    async def close(self) -> None:
        """See `guard.ports.RecordSource.close`."""
        self._is_closed = True
