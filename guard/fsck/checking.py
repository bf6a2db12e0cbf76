"""The deep check of a store: it reads every row once, believes none, and goes on after a fault.

`verify` stops at the first thing that does not hold; this names all of them, with the table, the
entry and what to do, so that an operator knows how much is wrong. First the published files are
checked by themselves, for they tell what is right; then entries and what lies beside them, signed
checkpoints on the way; then what is pending, the head, late links, the index by terms, the rows
that entries stand for (holds, erasures, hold-backs, disputes), every customer's numbers, and the
receipts that somebody brought.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from guard.entries import Receipt
from guard.errors import ProofError
from guard.fsck.checkpoints import Checkpoints
from guard.fsck.customers import CustomersCheck
from guard.fsck.faults import Faults, FsckReport, Progress, Remedy
from guard.fsck.parts import Explained, PartsCheck
from guard.fsck.pending import PendingCheck
from guard.fsck.published import open_kept, open_mirror
from guard.fsck.walking import Walk
from guard.ledger.note import VerifierKey
from guard.ledger.receipts import match_receipt, verify_receipt
from guard.ports import DetailVault, LogTables

HEAD = "tree_head"
RECEIPT = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept outside of the database.

    `log_dir` is the folder of published files, `high_water` the note that was signed last, read
    before the snapshot was opened.
    """

    log_dir: Path
    high_water: bytes | None = None
    receipts: tuple[Receipt, ...] = ()


def _silent(_count: int) -> None:
    """Say nothing."""


def check_store(
    view: LogTables,
    vault: DetailVault,
    key: VerifierKey,
    kept: Kept,
    *,
    explained: Explained,
    on_progress: Progress = _silent,
) -> FsckReport:
    """Check everything; `key` is the log's, `explained` knows what was forgotten on purpose."""
    faults = Faults()
    mirror = open_mirror(kept.log_dir, key, faults)
    parts = PartsCheck(vault, explained, faults)
    walk = Walk(view, parts, mirror, faults)
    signed = open_kept(kept.high_water, mirror, key, faults)
    checkpoints = Checkpoints(view, key, signed, faults)
    walk.run(checkpoints, on_progress)
    checkpoints.end(walk.tree, None if mirror is None else mirror.size)
    pending = PendingCheck(view, parts, walk.standing, faults)
    pending.run(walk.writers, walk.tree.size)
    _check_head(view, walk, faults)
    walk.check_late_links()
    walk.blocks.run(walk.tree.size)
    walk.standing.run()
    customers = CustomersCheck(view, vault, faults)
    customers.run(pending.tags, walk)
    _check_receipts(view, kept.receipts, walk, pending, faults)
    return FsckReport(
        entries=walk.tree.size,
        root=walk.tree.root().hex(),
        pending=pending.count,
        checkpoints=checkpoints.count,
        customers=customers.count,
        receipts=len(kept.receipts),
        erased=parts.erased,
        published=None if mirror is None else mirror.size,
        faults=tuple(faults.found),
        count=faults.count,
    )


def _check_head(view: LogTables, walk: Walk, faults: Faults) -> None:
    rows = view.head_rows()
    if [row.id for row in rows] != [1]:
        faults.add(HEAD, None, f"{len(rows)} rows instead of one", Remedy.HEAD)
    for row in rows:
        right = {
            "size": walk.tree.size,
            "range": b"".join(walk.tree.hashes),
            "newest_at": walk.newest_at,
        }
        for name, value in right.items():
            if getattr(row, name) != value:
                what = f"column `{name}` is not that of the {walk.tree.size} entries"
                faults.add(HEAD, None, what, Remedy.HEAD)


def _check_receipts(
    view: LogTables,
    receipts: Iterable[Receipt],
    walk: Walk,
    pending: PendingCheck,
    faults: Faults,
) -> None:
    """What writers promised is there: even the last pending row cannot be deleted unseen."""
    for receipt in receipts:
        try:
            verify_receipt(receipt, walk.writer_keys.get(bytes.fromhex(receipt.writer), ""))
            index = view.index_of(bytes.fromhex(receipt.entry_id))
            if index is not None:
                (row,) = view.entry_rows(index, 1)
                match_receipt(receipt, row.leaf, index)
            elif receipt.entry_id not in pending.leaves:
                what = f"entry `{receipt.entry_id}` was promised by its writer and is not there"
                faults.add(RECEIPT, receipt.index, what, Remedy.LEAF)
        except (ProofError, ValueError) as error:
            faults.add(RECEIPT, receipt.index, str(error), Remedy.ROW)
