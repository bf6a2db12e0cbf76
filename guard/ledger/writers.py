"""The story of each writer, as its entries tell it.

A writer begins with `WRITER_OPEN` as number 0, leaves no gap, never goes back in time, and says
nothing after `WRITER_CLOSE`. So an entry that was removed, repeated or put in by somebody else
shows at the writer's next one.

Numbers that are missing were deleted before they had a place in the tree. The service tells each
such gap in a `GAP` entry; one that no later `GAP` entry answers for is a failure.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from guard.clock import Micros
from guard.entries import EntryKind
from guard.errors import ProofError
from guard.ledger.entry import Leaf, Stories, decode_leaf, stories

# What changes nothing of a writer's story but its number and time.
_ORDINARY = frozenset(int(kind) for kind in EntryKind) - {
    EntryKind.WRITER_OPEN,
    EntryKind.WRITER_CLOSE,
    EntryKind.GAP,
}


@dataclass(slots=True)
class _Writer:
    next_seq: int = 0
    last_at: Micros = 0
    is_closed: bool = False


class Writers:
    """The story of each writer so far."""

    def __init__(self, *, from_the_beginning: bool = True, may_have_gaps: bool = False) -> None:
        """Start with no writer; unless `from_the_beginning`, one may be met in the middle.

        If they `may_have_gaps`, those are counted and judged at the end (see `judging`).
        """
        self.known: dict[bytes, _Writer] = {}
        self.gaps = 0
        self._from_the_beginning, self._may_have_gaps = from_the_beginning, may_have_gaps
        # What is to be raised for gaps that no entry has told yet, oldest first.
        self._untold: deque[ProofError] = deque()

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
            wrong = ProofError(
                f"entry {index}: writer {name} is at {leaf.writer_seq} where"
                f" {due} is due, an entry is missing or repeated",
                index=index,
            )
            if leaf.writer_seq < due or not self._may_have_gaps:
                raise wrong
            self.gaps += 1
            self._untold.append(wrong)
        if leaf.at < before:
            raise ProofError(f"entry {index}: writer {name} goes back in time", index=index)
        if was_closed:
            raise ProofError(f"entry {index}: writer {name} was closed before", index=index)
        if leaf.kind is EntryKind.GAP and self._untold:
            self._untold.popleft()

    def follow_all(self, first: int, leaves: Sequence[bytes]) -> None:
        """As `follow` for each, and no `Leaf` is made of what is as it should be.

        Raises:
            ProofError: A leaf is none, or does not continue its writer's story.
        """
        told = stories(leaves)
        if told is None:
            for index, leaf in enumerate(leaves, first):
                self.follow(index, _decode(index, leaf))
        elif not self._goes_on(told):
            self._follow_each(first, leaves, told)

    def _goes_on(self, told: Stories) -> bool:
        """Take what one writer says in one piece, as most of a log is; False: it is not that."""
        times, kinds, names, numbers = told
        writer = self.known.get(names[0])
        if (
            writer is None
            or writer.is_closed
            or names.count(names[0]) != len(names)
            or numbers != tuple(range(writer.next_seq, writer.next_seq + len(numbers)))
            or times[0] < writer.last_at
            or list(times) != sorted(times)
            or not _ORDINARY.issuperset(kinds)
        ):
            return False
        writer.next_seq += len(numbers)
        writer.last_at = times[-1]
        return True

    def _follow_each(self, first: int, leaves: Sequence[bytes], told: Stories) -> None:
        known = self.known
        for index, (at, kind, name, seq) in enumerate(zip(*told, strict=True), first):
            writer = known.get(name)
            if (
                writer is not None
                and seq == writer.next_seq
                and at >= writer.last_at
                and kind in _ORDINARY
                and not writer.is_closed
            ):
                writer.next_seq = seq + 1
                writer.last_at = at
            else:
                self.follow(index, _decode(index, leaves[index - first]))

    @property
    def untold(self) -> tuple[ProofError, ...]:
        """What is to be raised for gaps that no entry has told, oldest first."""
        return tuple(self._untold)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Raise for the first gap that no entry tells, before whatever else the block finds."""
        try:
            yield
        except ProofError as error:
            raise (self._untold[0] if self._untold else error) from None
        if self._untold:
            raise self._untold[0]


def _decode(index: int, leaf: bytes) -> Leaf:
    try:
        return decode_leaf(leaf)
    except ProofError as error:
        raise ProofError(f"entry {index}: {error}", index=index) from None
