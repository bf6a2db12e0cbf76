"""Merkle tree hashing, compact ranges and proofs as RFC 6962 section 2.1 defines them.

* a leaf hashes as SHA-256(0x00 || entry), a node as SHA-256(0x01 || left || right);
* the empty tree hashes as SHA-256 of nothing;
* a tree of n leaves splits at the largest power of two below n.

Verification raises `ProofError`; nothing here returns a verdict. Where hashes come from is the
caller's business: proofs are built through a `NodeReader`, a function from (level, index) to the
root of the perfect subtree over leaves [index << level, (index + 1) << level).
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import TypeAlias

from guard.errors import ProofError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

# A tree holds at most 2**63 - 1 leaves, as a checkpoint's size must fit a signed 64-bit integer.
MAX_SIZE = 2**63 - 1

# No path in a tree below 2**63 leaves is longer; stops a forged proof from costing us hashing.
MAX_PROOF = 63

NodeReader: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry into a leaf of the tree."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtree roots into their parent."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """As `leaf_hash` for each, for who hashes very many."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def parents(row: Sequence[bytes]) -> list[bytes]:
    """The row above an even row of subtree roots: as `node_hash` for each pair."""
    pairs = iter(row)
    return [
        sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)
    ]


def tree_root(hashes: Iterable[bytes]) -> bytes:
    """Hash the hashes of leaves into the root of their tree."""
    tree = CompactRange()
    tree.extend(list(hashes))
    return tree.root()


class CompactRange:
    """The roots of the perfect subtrees that make up a tree, largest first.

    It is all one needs to append to a tree and to know its root: one hash per set bit of the size.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Continue from stored hashes, largest subtree first.

        Raises:
            ProofError: The hashes cannot belong to a tree of that size.
        """
        if not 0 <= size <= MAX_SIZE:
            raise ProofError(f"tree size {size} is out of range, check where it was stored")
        if len(hashes) != size.bit_count() or any(len(h) != HASH_SIZE for h in hashes):
            raise ProofError(
                f"{len(hashes)} stored hashes do not make a tree of size {size}, verify the store"
            )
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
        hashes, size = self._hashes, self._size
        while size & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self._size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaves by their hashes: a row of the tree at a time, for speed."""
        row, count = list(leaves), self._size
        self._size += len(row)
        unpaired: list[bytes] = []
        while row:
            if count & 1:
                row.insert(0, self._hashes.pop())
            if len(row) & 1:
                unpaired.append(row.pop())
            row = parents(row)
            count >>= 1
        self._hashes += reversed(unpaired)

    def root(self) -> bytes:
        """Hash of the whole tree."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self) -> "CompactRange":
        """An independent range of the same tree."""
        return CompactRange(self._size, self._hashes)


def range_root(start: int, end: int, node: NodeReader) -> bytes:
    """Root over leaves [start, end), where `start` is a multiple of the largest subtree in it.

    That holds for every range that the proofs of RFC 6962 mention: each is one side of a split.
    """
    roots: list[bytes] = []
    at = start
    while at < end:
        level = (end - at).bit_length() - 1
        roots.append(node(level, at >> level))
        at += 1 << level
    root = roots.pop()
    while roots:
        root = node_hash(roots.pop(), root)
    return root


def _split(size: int) -> int:
    """Largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Hashes that lead from leaf `index` to the root of a tree of `size`, leaf's sibling first.

    Raises:
        ProofError: There is no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"no leaf {index} in a tree of size {size}, ask for an earlier one")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_root(middle, end, node))
            end = middle
        else:
            proof.append(range_root(start, middle, node))
            start = middle
    proof.reverse()
    return proof


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Hashes that show the tree of size `old` to be the beginning of the tree of size `new`.

    Empty when the sizes are equal or `old` is 0: there is nothing to show.

    Raises:
        ProofError: `old` is greater than `new`, or either is out of range.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(f"no tree of size {new} continues one of size {old}, swap them")
    if old in {0, new}:
        return []
    proof: list[bytes] = []
    start, end, is_prefix = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_root(middle, end, node))
            end = middle
        else:
            proof.append(range_root(start, middle, node))
            start, is_prefix = middle, False
    if not is_prefix:
        proof.append(range_root(start, end, node))
    proof.reverse()
    return proof


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > MAX_PROOF:
        raise ProofError(f"proof has {len(hashes)} hashes, at most {MAX_PROOF} can be needed")
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError(f"a hash of the proof is not {HASH_SIZE} bytes long, fetch the proof anew")


def _check_root(computed: bytes, claimed: bytes, what: str) -> None:
    if not compare_digest(computed, claimed):
        raise ProofError(f"{what}, do not trust this log until it is explained")


def root_of_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Root of the tree of `size` in which `proof` places the leaf hash `leaf` at `index`.

    Raises:
        ProofError: The proof has another length than that place requires.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"no leaf {index} in a tree of size {size}, check index and size")
    _check_hashes(proof)
    _check_hashes([leaf])
    # Below `inner` the path can turn both ways; above it, only left siblings remain.
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise ProofError(f"proof of leaf {index} in {size} has a wrong length, fetch it anew")
    root = leaf
    for level, sibling in enumerate(proof):
        if level >= inner or index >> level & 1:
            root = node_hash(sibling, root)
        else:
            root = node_hash(root, sibling)
    return root


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash `leaf` is at `index` of the tree with `size` and `root`.

    Raises:
        ProofError: It is not, or the proof is malformed.
    """
    computed = root_of_inclusion(index, size, leaf, proof)
    _check_root(computed, root, f"leaf {index} is not in the tree of size {size}")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree (`new`, `new_root`) continues the tree (`old`, `old_root`).

    Raises:
        ProofError: It does not, or the proof is malformed.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(f"no tree of size {new} continues one of size {old}, swap them")
    _check_hashes(proof)
    _check_hashes([old_root, new_root])
    if old in {0, new}:
        if proof:
            raise ProofError("nothing is to be shown and the proof is not empty, fetch it anew")
        expected = EMPTY_ROOT if old == 0 else new_root
        _check_root(expected, old_root, f"tree of size {old} has another root than it must")
        return
    _verify_growth(old, new, list(proof), (old_root, new_root))


def _verify_growth(old: int, new: int, path: list[bytes], roots: tuple[bytes, bytes]) -> None:
    # RFC 9162 2.1.4.2: walk up from the last node that both trees share, hashing two roots at once.
    old_root, new_root = roots
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    last_old, last_new = old - 1, new - 1
    shift = (~last_old & (last_old + 1)).bit_length() - 1
    last_old >>= shift
    last_new >>= shift
    if not path:
        raise ProofError(f"proof from {old} to {new} is empty, fetch it anew")
    seen_old = seen_new = path[0]
    for one in path[1:]:
        if last_new == 0:
            raise ProofError(f"proof from {old} to {new} is too long, fetch it anew")
        if last_old & 1 or last_old == last_new:
            seen_old = node_hash(one, seen_old)
            seen_new = node_hash(one, seen_new)
            while last_old and not last_old & 1:
                last_old >>= 1
                last_new >>= 1
        else:
            seen_new = node_hash(seen_new, one)
        last_old >>= 1
        last_new >>= 1
    if last_new != 0:
        raise ProofError(f"proof from {old} to {new} is too short, fetch it anew")
    _check_root(seen_old, old_root, f"tree of size {old} is not the beginning of size {new}")
    _check_root(seen_new, new_root, f"tree of size {new} does not continue size {old}")
