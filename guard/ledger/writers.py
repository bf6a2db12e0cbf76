"""The story of each writer, as its entries tell it.

A writer begins with `WRITER_OPEN` as number 0, leaves no gap, never goes back in time, and says
nothing after `WRITER_CLOSE`. So an entry that was removed, repeated or put in by somebody else
shows at the writer's next one.
"""

from dataclasses import dataclass

from guard.clock import Micros
from guard.entries import EntryKind
from guard.errors import ProofError
from guard.ledger.entry import Leaf


@dataclass(slots=True)
class _Writer:
    next_seq: int = 0
    last_at: Micros = 0
    is_closed: bool = False


class Writers:
    """The story of each writer so far."""

    def __init__(self, *, from_the_beginning: bool = True) -> None:
        """Start with no writer; unless `from_the_beginning`, one may be met in the middle."""
        self.known: dict[bytes, _Writer] = {}
        self._from_the_beginning = from_the_beginning

    def follow(self, index: int, leaf: Leaf) -> None:
        """Take the next entry; after a failure the story goes on behind it.

        Raises:
            ProofError: The entry does not continue its writer's story.
        """
        writer = self.known.get(leaf.writer)
        if writer is None:
            first = 0 if self._from_the_beginning else leaf.writer_seq
            writer = self.known[leaf.writer] = _Writer(next_seq=first)
        due, before, was_closed = writer.next_seq, writer.last_at, writer.is_closed
        writer.next_seq = leaf.writer_seq + 1
        writer.last_at = leaf.at
        writer.is_closed = leaf.kind is EntryKind.WRITER_CLOSE
        name = leaf.writer.hex()
        if (leaf.kind is EntryKind.WRITER_OPEN) != (leaf.writer_seq == 0):
            raise ProofError(f"entry {index}: writer {name} is not opened first", index=index)
        if leaf.writer_seq != due:
            raise ProofError(
                f"entry {index}: writer {name} is at {leaf.writer_seq} where"
                f" {due} is due, an entry is missing or repeated",
                index=index,
            )
        if leaf.at < before:
            raise ProofError(f"entry {index}: writer {name} goes back in time", index=index)
        if was_closed:
            raise ProofError(f"entry {index}: writer {name} was closed before", index=index)
