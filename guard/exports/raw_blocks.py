"""The log as it is kept, for mirrors: leaves and sealed parts in blocks, nothing opened.

A mirror restores what was lost and proves what was changed, and reads nothing: parts stay sealed
under keys that it does not have, and no reference, search column or count says whom they are about.
Of entries of other tenants there is the leaf alone, which the published tree has too.

A block is: `RGR1`; the first index (8 bytes), the number of entries (4) and of parts (4); for each
entry, how many parts follow for it (4; 0: another tenant's); for each part its length (4; all ones:
it is lost); the leaves, 90 bytes each; the parts. Integers are big-endian. Blocks follow one
another without a gap.
"""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct, pack, unpack
from typing import IO

import msgspec

from guard.entries import RawEntry
from guard.errors import ProofError
from guard.ledger.entry import LEAF_SIZE, check_parts
from guard.ledger.merkle import CompactRange, leaf_hash
from guard.ports import ReadView

MAGIC = b"RGR1"
MEDIA_TYPE = "application/octet-stream"
# Entries a block: some ten megabytes.
BLOCK = 10_000
LOST = 0xFFFFFFFF

_HEAD = Struct(">4sQII")


class Held(msgspec.Struct, frozen=True, gc=False):
    """One entry of a block; `parts` is empty for another tenant's, a lost part is None."""

    index: int
    leaf: bytes
    parts: tuple[bytes | None, ...]


def read_block(view: ReadView, tenant: str, start: int, end: int) -> bytes:
    """The block of entries [start, end) as the store has them.

    Raises:
        ProofError: An entry is missing.
    """
    entries = view.raw_entries(tenant, start, end)
    if len(entries) != end - start:
        raise ProofError(f"an entry from {start} on is missing, restore it from a mirror")
    return _packed(start, entries, view.raw_subjects(start, end))


def _packed(
    start: int, entries: Sequence[RawEntry], subjects: Sequence[tuple[int, bytes | None]]
) -> bytes:
    by_entry: dict[int, list[bytes | None]] = {}
    for index, sealed in subjects:
        if index in by_entry:
            by_entry[index].append(sealed)
        else:
            by_entry[index] = [sealed]
    counts: list[int] = []
    parts: list[bytes | None] = []
    nobody: list[bytes | None] = []
    for index, _, own, sealed in entries:
        if own is None:
            counts.append(0)
            continue
        people = by_entry.get(index, nobody)
        counts.append(1 + len(people))
        parts.append(sealed)
        parts += people
    lengths = [LOST if part is None else len(part) for part in parts]
    return b"".join(
        (
            _HEAD.pack(MAGIC, start, len(counts), len(parts)),
            pack(f">{len(counts)}I", *counts),
            pack(f">{len(lengths)}I", *lengths),
            *(leaf for _, leaf, _, _ in entries),
            *(part for part in parts if part is not None),
        )
    )


def parse_blocks(file: IO[bytes]) -> Iterator[Held]:
    """The entries of a file of blocks, in order.

    Raises:
        ProofError: It is no such file, or breaks off.
    """
    while head := file.read(_HEAD.size):
        if len(head) != _HEAD.size or not head.startswith(MAGIC):
            raise ProofError("this is no raw export, or it breaks off: fetch it again")
        _, start, n_entries, n_parts = _HEAD.unpack(head)
        counts = unpack(f">{n_entries}I", _exactly(file, 4 * n_entries))
        lengths = unpack(f">{n_parts}I", _exactly(file, 4 * n_parts))
        if sum(counts) != n_parts:
            raise ProofError("a block contradicts itself, fetch it again")
        leaves = _exactly(file, LEAF_SIZE * n_entries)
        sizes = iter(lengths)
        for n, count in enumerate(counts):
            leaf = leaves[n * LEAF_SIZE : (n + 1) * LEAF_SIZE]
            parts = tuple(
                None if (size := next(sizes)) == LOST else _exactly(file, size)
                for _ in range(count)
            )
            yield Held(start + n, leaf, parts)


def check_blocks(entries: Iterable[Held]) -> CompactRange:
    """Check each entry against itself and build the tree of all, which begins with entry 0.

    Raises:
        ProofError: An entry is missing, or a part does not match its leaf; `index` names it.
    """
    tree = CompactRange(0, ())
    for held in entries:
        if held.index != tree.size:
            raise ProofError(f"entry {tree.size} is missing from the export", index=tree.size)
        hashed = leaf_hash(held.leaf)
        if held.parts:
            try:
                check_parts(held.leaf, hashed, held.parts)
            except ProofError as error:
                raise ProofError(f"entry {held.index}: {error}", index=held.index) from None
        tree.append(hashed)
    return tree


def _exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise ProofError("a block breaks off, fetch it again")
    return content
