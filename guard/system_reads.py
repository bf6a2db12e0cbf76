"""Records that the broker reads for itself: nobody is shown them.

There are two reasons: filling the blind index, and taking a customer's values out of a text. Both
say in an entry whose record was read, so that every read of a source can be laid against the log.
The record goes into `guard.masking` and is forgotten; what people see comes from `guard.broker`.
"""

import asyncio
from collections.abc import Mapping

from guard.errors import SourceError
from guard.ports import RecordSource
from guard.rows import RawRecord, SubjectRow
from guard.vault.keyring import Keyring


class SystemReads:
    """Reads for the broker's own use."""

    def __init__(
        self, sources: Mapping[str, RecordSource], keyring: Keyring, *, deadline_s: float
    ) -> None:
        """Read from `sources`, by the name enrolment knows; each read ends within `deadline_s`."""
        self._sources, self._keyring, self._deadline_s = sources, keyring, deadline_s

    async def read(self, subject: SubjectRow, fields: frozenset[str]) -> RawRecord | None:
        """The top-level `fields` of one record; None: it is gone from its source.

        Raises:
            SourceError: It could not be fetched in time.
            KeyUnavailableError: The customer's key is gone or cannot be reached.
        """
        source = self._sources.get(subject.source)
        if source is None:
            raise SourceError("this customer's source is not configured: check the mapping file")
        key = self._keyring.source_key(subject)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await source.fetch(key, fields)
        except TimeoutError:
            raise SourceError("the record source did not answer in time, try again") from None
