"""What a sink is: something outside that takes events, many at once."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Event(NamedTuple):
    """One entry as it is sent; `entry_id` tells the receiver a repeat."""

    entry_id: str
    body: bytes


class Sink(Protocol):
    """*Protocol* of a receiver. `window` is how many events it takes at once."""

    window: int

    async def deliver(self, events: Sequence[Event]) -> None:
        """Hand events over, in order; when this returns, the receiver has them.

        Raises:
            SourceError: It took them not, or nobody knows whether it did.
        """
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
