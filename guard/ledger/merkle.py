"""Appending to an RFC 6962 tree: the compact range, one hash for each set bit of the size."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


class CompactRange:
    """The roots of the perfect subtrees that make up a tree, largest first."""

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Continue from stored hashes, largest subtree first."""
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The subtree roots, largest first, as `__init__` takes them."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf by its hash."""
        size = self._size
        while size & 1:
            leaf = sha256(b"\x01" + self._hashes.pop() + leaf).digest()
            size >>= 1
        self._hashes.append(leaf)
        self._size += 1

    def root(self) -> bytes:
        """Hash of the whole tree."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = sha256(b"\x01" + left + root).digest()
        return root
