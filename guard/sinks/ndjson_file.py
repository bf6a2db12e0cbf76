"""A file that grows by a line an event, for a collector that reads files.

It is opened anew for each delivery, so that it can be moved away and begun again at any time. What
a crash cut off in the middle is closed with a line end, and sent again whole on the next line.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from guard.errors import NotDeliveredError
from guard.sinks.sink import Event

# Only the owner may read it, unless a file with other rights is there already.
_PRIVATE = 0o600


class NdjsonFileSink:
    """Implements `Sink` over a file."""

    window = 500

    def __init__(self, name: str, path: Path) -> None:
        """Append to `path`, whose folder must be there."""
        self._name, self._path = name, path

    async def deliver(self, events: Sequence[Event]) -> None:
        """See `Sink.deliver`; what is taken is on the disk."""
        content = b"".join(event.body for event in events)
        try:
            await asyncio.to_thread(self._append, content)
        except OSError:
            raise NotDeliveredError(
                f"sink `{self._name}` cannot be written, see its disk"
            ) from None

    async def close(self) -> None:
        """See `Sink.close`."""

    def _append(self, content: bytes) -> None:
        descriptor = os.open(
            self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _PRIVATE
        )
        with os.fdopen(descriptor, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    content = b"\n" + content
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
