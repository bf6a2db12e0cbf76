"""Checking the whole log against itself, its tree, its checkpoint and its keys.

What `guard verify` does on the machine that holds the keys: every entry's bytes, every part that
can be opened, every customer's numbering, the tree that the store keeps, and the newest checkpoint.
An outsider without keys verifies the published log instead (`guard.ledger.verify`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.replaying import is_erased, stored_pages
from guard.entries import StoredEntry
from guard.errors import ForkError, ProofError
from guard.ledger.checkpoint import open_checkpoint
from guard.ledger.entry import check_stored, open_entry
from guard.ledger.merkle import CompactRange
from guard.ledger.note import VerifierKey
from guard.ports import DetailVault, ReadView
from guard.rows import SubjectRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was checked and found to hold."""

    size: int
    root: str
    opened: int
    erased: int
    checkpoint_size: int | None


@dataclass(slots=True)
class _Walk:
    tree: CompactRange = field(default_factory=CompactRange)
    numbers: dict[str, int] = field(default_factory=dict)
    opened: int = 0
    erased: int = 0


def verify_store(
    view: ReadView, vault: DetailVault, key: VerifierKey, kept: Sequence[bytes] = ()
) -> Verdict:
    """Rebuild and check everything; `key` is the log's.

    `kept` holds notes that were signed and kept outside the database (the high-water mark, the
    published checkpoint): the store must continue each, so an older copy of it is told apart.

    Raises:
        ProofError: Something does not hold; `index` names the first bad entry.
        ForkError: The tree that the store keeps, or the checkpoint, says another thing.
        KeyUnavailableError: A key that should be there is not.
    """
    walk = _Walk()
    note = view.checkpoint()
    signed = None if note is None else open_checkpoint(note, key)
    outside = [open_checkpoint(one, key) for one in kept]
    anchors = {c.size: c.root for c in (*outside, *([] if signed is None else [signed]))}
    for page in stored_pages(view):
        subjects = view.subjects({ref for entry in page for ref in entry.refs})
        for entry in page:
            _check(entry, walk, vault, subjects)
            if walk.tree.size in anchors:
                _same_root(walk.tree.root(), anchors[walk.tree.size])
    wrong = view.misindexed()
    if wrong is not None:
        raise ProofError(
            f"entry {wrong} and those after it: what they are found by contradicts them, restore"
            " the table `log_term` from a backup",
            index=wrong,
        )
    size, hashes = view.head()
    if (size, tuple(hashes)) != (walk.tree.size, walk.tree.hashes):
        raise ForkError(
            f"the store keeps a tree of {size} entries, its entries make one of {walk.tree.size}:"
            " restore the database from a backup"
        )
    newest = max(anchors, default=0)
    if newest > walk.tree.size:
        raise ForkError(
            f"a checkpoint of {newest} entries is signed and {walk.tree.size} are left:"
            " restore the newest copy of the database"
        )
    if signed is None and outside:
        raise ForkError("checkpoints were signed and the store has none: restore the database")
    return Verdict(
        size=walk.tree.size,
        root=walk.tree.root().hex(),
        opened=walk.opened,
        erased=walk.erased,
        checkpoint_size=None if signed is None else signed.size,
    )


def _check(
    entry: StoredEntry, walk: _Walk, vault: DetailVault, subjects: dict[str, SubjectRow]
) -> None:
    expected = walk.tree.size
    if entry.index != expected:
        raise ProofError(f"entry {expected} is missing, restore it from a backup", index=expected)
    leaf = check_stored(entry)
    walk.tree.append(entry.leaf_hash)
    if is_erased(entry):
        walk.erased += 1
    else:
        opened = open_entry(entry, vault, subjects)
        walk.opened += 1
        walk.erased += sum(part is None for part in opened.subjects)
    if len(entry.refs) == 1:
        _check_number(entry, leaf.tag, walk, vault, subjects)


def _check_number(
    entry: StoredEntry,
    tag: bytes,
    walk: _Walk,
    vault: DetailVault,
    subjects: dict[str, SubjectRow],
) -> None:
    """A customer's entries are numbered without a gap: none can be left out unseen."""
    (ref,) = entry.refs
    n = walk.numbers.get(ref, 0)
    walk.numbers[ref] = n + 1
    subject = subjects.get(ref)
    if subject is None or subject.wrapped_key is None:
        return
    if vault.tag(subject, n) != tag:
        raise ProofError(
            f"entry {entry.index}: not the next of its customer, one before it was removed",
            index=entry.index,
        )


def _same_root(computed: bytes, signed: bytes) -> None:
    if computed != signed:
        raise ForkError("the entries do not hash to the signed root: do not trust this log")
