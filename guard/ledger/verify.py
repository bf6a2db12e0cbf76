"""Checks a whole log from the beginning, trusting nothing but the log's public key.

It imports nothing of the service that wrote the log, and needs no key that opens a detail. For
every entry it checks the leaf's hash, the commitment over the parts beside it, and the writer's
story: each writer begins with `WRITER_OPEN` as number 0, leaves no gap, never goes back in time,
and says nothing after `WRITER_CLOSE`. The tree must have the root that was signed.

Numbers that are missing were deleted before they had a place in the tree. The service tells each
such gap in a `GAP` entry; one that no later `GAP` entry answers for is a failure.

A failure raises `ProofError`, whose `index` is the first bad entry.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from guard.clock import Micros
from guard.entries import Receipt, StoredEntry
from guard.errors import ProofError
from guard.ledger.anchors import Stamps, anchored
from guard.ledger.checkpoint import Checkpoint, log_key, open_checkpoint
from guard.ledger.entry import check_stored
from guard.ledger.merkle import HASH_SIZE, CompactRange
from guard.ledger.receipts import match_receipt
from guard.ledger.tiles import TILE_WIDTH, File, TileEdge, TileFolder
from guard.ledger.trust import TrustPolicy
from guard.ledger.writers import Writers

# How often a long run says how far it is.
PROGRESS_EVERY = 8192

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What was found to hold.

    `signed_size` is the size of the checkpoint that was checked, None without one. `erased` counts
    subject parts of which only the hash is left; each needs an entry that explains it. `gaps`
    counts the stretches that were deleted before they had a place, each told by the log itself.
    """

    size: int
    root: bytes
    signed_size: int | None
    writers: int
    receipts: int
    erased: int
    gaps: int
    # Of the published files only, and where an authority's certificate was given.
    anchors: int = 0
    anchored_at: Micros | None = None


def _silent(_count: int) -> None:
    """Say nothing."""


def _open(note: bytes | None, vkey: str | None) -> Checkpoint | None:
    if note is None:
        return None
    if vkey is None:
        raise ProofError("a checkpoint needs the log's verifier key, ask the operator for it")
    return open_checkpoint(note, log_key(vkey))


def _check_root(tree: CompactRange, checkpoint: Checkpoint | None) -> None:
    if checkpoint is None or tree.size != checkpoint.size:
        return
    if tree.root() != checkpoint.root:
        raise ProofError(f"the first {tree.size} entries do not have the root that was signed")


def verify_log(
    entries: Iterable[StoredEntry],
    *,
    checkpoint: bytes | None = None,
    vkey: str | None = None,
    head: tuple[int, tuple[bytes, ...]] | None = None,
    receipts: Iterable[Receipt] = (),
    on_progress: Progress = _silent,
) -> VerifyReport:
    """Check all entries of a log, in index order.

    Args:
        entries: The entries from index 0 on.
        checkpoint: A signed note that the tree must agree with; entries after it may follow.
        vkey: The log's verifier key, needed with `checkpoint`.
        head: Size and compact range that the store claims; must be equal to what was read.
        receipts: Receipts that must be kept; check their signatures with `verify_receipt`.
        on_progress: Told now and then how many entries have been checked.

    Raises:
        ProofError: Something does not hold; `index` is the first bad entry where there is one.
    """
    signed = _open(checkpoint, vkey)
    promised = {receipt.entry_id: receipt for receipt in receipts}
    missing = dict(promised)
    tree, writers, erased = CompactRange(), Writers(may_have_gaps=True), 0
    _check_root(tree, signed)
    with writers.judging():
        for entry in entries:
            if entry.index != tree.size:
                raise ProofError(
                    f"entry {tree.size} is missing, found {entry.index}", index=tree.size
                )
            leaf = check_stored(entry)
            writers.follow(tree.size, leaf)
            receipt = missing.pop(leaf.entry_id.hex(), None)
            if receipt is not None:
                match_receipt(receipt, entry.leaf, tree.size)
            erased += sum(len(part or b"") == HASH_SIZE for part in entry.sealed_subjects)
            tree.append(entry.leaf_hash)
            _check_root(tree, signed)
            if tree.size % PROGRESS_EVERY == 0:
                on_progress(tree.size)
        _check_end(tree, signed, head, missing.values())
    on_progress(tree.size)
    return VerifyReport(
        size=tree.size,
        root=tree.root(),
        signed_size=None if signed is None else signed.size,
        writers=len(writers.known),
        receipts=len(promised),
        erased=erased,
        gaps=writers.gaps,
    )


def _check_end(
    tree: CompactRange,
    signed: Checkpoint | None,
    head: tuple[int, tuple[bytes, ...]] | None,
    missing: Collection[Receipt],
) -> None:
    if signed is not None and tree.size < signed.size:
        raise ProofError(
            f"{signed.size} entries were signed and {tree.size} are left", index=tree.size
        )
    if head is not None and head != (tree.size, tree.hashes):
        raise ProofError(f"head of the store is not that of its {tree.size} entries, rebuild it")
    for receipt in missing:
        raise ProofError(
            f"entry `{receipt.entry_id}` was promised by its writer and is not there",
            index=receipt.index,
        )


def verify_files(
    log_dir: Path,
    trust: str | TrustPolicy,
    *,
    stamps: Stamps | None = None,
    on_progress: Progress = _silent,
) -> VerifyReport:
    """Check a published log from its files alone: checkpoint, bundles and every tile.

    Details are not published, so commitments cannot be compared with their parts here.

    Args:
        log_dir: The folder of the log, or a mirror of it.
        trust: The log's verifier key, or a policy whose quorum must have cosigned.
        stamps: Judges the anchors in the folder; without it they are not looked at.
        on_progress: Told now and then how many entries have been checked.

    Raises:
        ProofError: Something does not hold; `index` is the first bad entry where there is one.
    """
    folder = TileFolder(log_dir)
    try:
        note = folder.checkpoint.read_bytes()
    except OSError as error:
        raise ProofError(
            f"checkpoint below `{log_dir}` cannot be read ({error.strerror}), fetch it"
        ) from None
    believe = _believer(trust)
    signed = believe(note)
    anchors = {} if stamps is None else _anchors(log_dir, believe, stamps, signed.size)
    edge, writers = TileEdge(), Writers(may_have_gaps=True)
    with writers.judging():
        for start in range(0, signed.size, TILE_WIDTH):
            leaves = folder.leaves(start // TILE_WIDTH, min(TILE_WIDTH, signed.size - start))
            writers.follow_all(start, leaves)
            _follow_files(folder, edge, leaves, anchors)
            if edge.size % PROGRESS_EVERY == 0:
                on_progress(edge.size)
        _check_anchor(edge, anchors)
        for file in edge.partials():
            _compare(folder, file)
        if edge.root() != signed.root:
            raise ProofError(
                f"the {edge.size} published entries do not have the root that was signed"
            )
    on_progress(edge.size)
    return VerifyReport(
        size=edge.size,
        root=signed.root,
        signed_size=signed.size,
        writers=len(writers.known),
        receipts=0,
        erased=0,
        gaps=writers.gaps,
        anchors=len(anchors),
        anchored_at=max((at for at, _ in anchors.values()), default=None),
    )


def _believer(trust: str | TrustPolicy) -> Callable[[bytes], Checkpoint]:
    if isinstance(trust, str):
        key = log_key(trust)
        return lambda note: open_checkpoint(note, key)
    return trust.open_checkpoint


def _anchors(
    log_dir: Path, believe: Callable[[bytes], Checkpoint], stamps: Stamps, size: int
) -> dict[int, tuple[Micros, bytes]]:
    """Time and root of each anchor, by size; all must be of this log, and within it."""
    found = {}
    for note, token in anchored(log_dir):
        checkpoint = believe(note)
        if checkpoint.size > size:
            raise ProofError(
                f"{checkpoint.size} entries were anchored and {size} are published", index=size
            )
        found[checkpoint.size] = (stamps.verify(token, note), checkpoint.root)
    return found


def _follow_files(
    folder: TileFolder,
    edge: TileEdge,
    leaves: Sequence[bytes],
    anchors: Mapping[int, tuple[Micros, bytes]],
) -> None:
    """Hash one bundle, and compare tiles and anchors with what it hashes to."""
    start, end = edge.size, edge.size + len(leaves)
    cuts = [start, *sorted(size for size in anchors if start < size < end), end]
    for first, last in pairwise(cuts):
        _check_anchor(edge, anchors)
        for file in edge.extend(leaves[first - start : last - start]):
            _compare(folder, file)


def _check_anchor(edge: TileEdge, anchors: Mapping[int, tuple[Micros, bytes]]) -> None:
    if edge.size in anchors and anchors[edge.size][1] != edge.root():
        raise ProofError(f"the first {edge.size} entries do not have the root that was anchored")


def _compare(folder: TileFolder, file: File) -> None:
    """Check that a published tile holds what its leaves hash to."""
    if isinstance(file.level, str):
        return  # a bundle: the leaves came from it
    found = folder.read(file.level, file.index, file.width)[: len(file.content)]
    if found == file.content:
        return
    same = 0
    while found[same : same + HASH_SIZE] == file.content[same : same + HASH_SIZE]:
        same += HASH_SIZE
    first = file.index * TILE_WIDTH + same // HASH_SIZE
    index = first * TILE_WIDTH**file.level
    raise ProofError(f"entry {index}: `{file.path}` is not the hash of its entries", index=index)
