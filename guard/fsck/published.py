"""Checks the published files by themselves, and then lends their leaves to compare the store with.

Once files, tiles and signature agree, a leaf of the store that differs is the store's fault, and
the file has the right one.
"""

from pathlib import Path

from guard.errors import ProofError
from guard.fsck.faults import Faults, Remedy
from guard.ledger.checkpoint import Checkpoint, open_checkpoint
from guard.ledger.note import VerifierKey
from guard.ledger.tiles import TILE_WIDTH, TileFolder
from guard.ledger.verify import verify_files

FILES = "published"
MARK = "high-water"


class Mirror:
    """The leaves of a published log that holds by itself."""

    def __init__(self, folder: TileFolder, checkpoint: Checkpoint) -> None:
        """Lend the leaves below `checkpoint`."""
        self._folder, self.checkpoint = folder, checkpoint
        self._index, self._leaves = -1, list[bytes]()

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self.checkpoint.size

    def leaf(self, index: int) -> bytes | None:
        """The published leaf, None beyond the checkpoint."""
        if index >= self.size:
            return None
        bundle, offset = divmod(index, TILE_WIDTH)
        if bundle != self._index:
            width = min(TILE_WIDTH, self.size - bundle * TILE_WIDTH)
            self._index, self._leaves = bundle, self._folder.leaves(bundle, width)
        return self._leaves[offset]


def open_mirror(log_dir: Path, key: VerifierKey, faults: Faults) -> Mirror | None:
    """Check the files below `log_dir`; None if there are none yet, or they do not hold."""
    folder = TileFolder(log_dir)
    if not folder.checkpoint.exists():
        if (log_dir / "tile").exists():
            faults.add(FILES, None, "tiles are there and the file `checkpoint` is not", Remedy.FILE)
        return None
    try:
        checkpoint = open_checkpoint(folder.checkpoint.read_bytes(), key)
        verify_files(log_dir, key.encode())
    except ProofError as error:
        faults.add(FILES, error.index, str(error), Remedy.FILE)
        return None
    return Mirror(folder, checkpoint)


def open_kept(
    high_water: bytes | None, mirror: Mirror | None, key: VerifierKey, faults: Faults
) -> list[Checkpoint]:
    """The checkpoints outside of the database, which the store must continue."""
    kept = [] if mirror is None else [mirror.checkpoint]
    if high_water is None:
        if mirror is not None:
            faults.add(
                MARK, None, "the mark is missing though checkpoints were signed", Remedy.MARK
            )
        return kept
    try:
        newest = open_checkpoint(high_water, key)
    except ProofError as error:
        faults.add(MARK, None, str(error), Remedy.MARK)
        return kept
    if mirror is not None and mirror.size < newest.size:
        what = f"the checkpoint is of {mirror.size} entries, and one of {newest.size} was signed"
        faults.add(FILES, None, what, Remedy.FILE)
    return [*kept, newest]
