"""Proves a whole range of leaves at once: the tree's hashes at its left and at its right.

Whoever holds the leaves [start, end) needs no path for each of them. The roots of the largest
perfect subtrees that cover what lies before and what lies after are enough to rebuild the root, and
so to see that none of the range is missing, changed or moved: about twice the logarithm of the size
in hashes, however long the range is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hmac import compare_digest

from guard.errors import ProofError
from guard.ledger.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE, NodeReader, node_hash


@dataclass(frozen=True, slots=True)
class RangeProof:
    """Roots of the subtrees before and after a range, each from the left."""

    left: tuple[bytes, ...]
    right: tuple[bytes, ...]


def _cover(start: int, end: int) -> Iterator[int]:
    """Levels of the largest perfect subtrees of the tree that cover [start, end)."""
    at = start
    while at < end:
        level = (end - at).bit_length() - 1
        if at:
            level = min(level, (at & -at).bit_length() - 1)
        yield level
        at += 1 << level


def _check_places(start: int, end: int, size: int) -> None:
    if not 0 <= start <= end <= size <= MAX_SIZE:
        raise ProofError(f"no range from {start} to {end} in a tree of size {size}, check them")


def range_proof(start: int, end: int, size: int, node: NodeReader) -> RangeProof:
    """The proof of the leaves [start, end) in a tree of `size`.

    Raises:
        ProofError: There is no such range.
    """
    _check_places(start, end, size)
    return RangeProof(tuple(_roots(0, start, node)), tuple(_roots(end, size, node)))


def _roots(start: int, end: int, node: NodeReader) -> Iterator[bytes]:
    at = start
    for level in _cover(start, end):
        yield node(level, at >> level)
        at += 1 << level


class RangeTree:
    """Rebuilds a root from a proof and the leaves of its range, in memory of O(log n)."""

    def __init__(self, start: int, end: int, size: int, proof: RangeProof) -> None:
        """Begin with what lies before the range.

        Raises:
            ProofError: The proof is not one of that range.
        """
        _check_places(start, end, size)
        self._next, self._end, self._size = start, end, size
        self._stack: list[tuple[int, bytes]] = []
        self._right = proof.right
        self._push_all(_cover(0, start), proof.left)

    def _push_all(self, levels: Iterator[int], hashes: Sequence[bytes]) -> None:
        places = list(levels)
        if len(places) != len(hashes) or any(len(one) != HASH_SIZE for one in hashes):
            raise ProofError("range proof has not the hashes that its range needs, fetch it anew")
        for level, one in zip(places, hashes, strict=True):
            self._push(level, one)

    def _push(self, level: int, one: bytes) -> None:
        while self._stack and self._stack[-1][0] == level:
            one = node_hash(self._stack.pop()[1], one)
            level += 1
        self._stack.append((level, one))

    def append(self, leaf: bytes) -> None:
        """Add the next leaf of the range by its hash.

        Raises:
            ProofError: The range has no more leaves.
        """
        if self._next == self._end:
            raise ProofError(f"more leaves than the range up to {self._end} has, fetch it anew")
        self._next += 1
        self._push(0, leaf)

    def check(self, root: bytes) -> None:
        """Check that the leaves added are those of the tree with this root.

        Raises:
            ProofError: They are not, or some are missing.
        """
        if self._next != self._end:
            raise ProofError(f"entry {self._next} of the range is missing", index=self._next)
        self._push_all(_cover(self._end, self._size), self._right)
        hashes = [one for _, one in self._stack] or [EMPTY_ROOT]
        computed = hashes.pop()
        while hashes:
            computed = node_hash(hashes.pop(), computed)
        if not compare_digest(computed, root):
            raise ProofError(
                "leaves of the range are not those of the signed tree, do not trust it"
            )
