"""The newest checkpoint that was signed, in a file outside the database.

It is all that tells a restored or rewritten database from the true one, so it never goes back:
publishers that share the file compare under a lock before they write.
"""

from pathlib import Path

from filelock import FileLock, Timeout

from guard.durable import make_folder, replace_file
from guard.errors import ForkError, ProofError, StoreUnavailableError
from guard.ledger.checkpoint import Checkpoint, open_checkpoint
from guard.ledger.note import VerifierKey

# Comparing and writing takes some milliseconds.
WAIT_S = 1.0


class HighWater:
    """One file, and the key that signed what is in it."""

    def __init__(self, path: Path, key: VerifierKey) -> None:
        """Keep the mark of the log with `key` at `path`."""
        self.path, self._key = path, key
        self._lock = FileLock(path.with_name(path.name + ".lock"), timeout=WAIT_S)

    def read(self) -> tuple[Checkpoint, bytes] | None:
        """What was signed last, and its note; None if nothing was.

        Raises:
            ForkError: The file is damaged, or its note is not of this log and key.
        """
        try:
            note = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return open_checkpoint(note, self._key), note
        except ProofError as error:
            raise ForkError(f"high-water mark `{self.path}` cannot be resumed: {error}") from None

    def advance(self, checkpoint: Checkpoint, note: bytes) -> bool:
        """Move the mark to `checkpoint`; False, and nothing is changed, if it is further already.

        Raises:
            ForkError: The mark says another root for this size.
            StoreUnavailableError: Another process holds the file.
            OSError: It cannot be made durable.
        """
        make_folder(self.path.parent)
        try:
            with self._lock:
                return self._advance(checkpoint, note)
        except Timeout:
            raise StoreUnavailableError(
                "another process holds the high-water mark, wait for it"
            ) from None

    def _advance(self, checkpoint: Checkpoint, note: bytes) -> bool:
        held = self.read()
        if held is not None:
            kept, _ = held
            if kept.size > checkpoint.size:
                return False
            if kept.size == checkpoint.size:
                if kept.root != checkpoint.root:
                    raise ForkError(
                        f"another checkpoint of size {kept.size} is signed already, stop all"
                        " publishers and compare the log with its witnesses"
                    )
                return True
        replace_file(self.path, note)
        return True
