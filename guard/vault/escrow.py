"""Keys that were wrapped anew, kept beside the keyring, for a database that comes back older.

An older copy of the database holds its customers' keys under a bucket that has been destroyed
since. Of each bucket that has had more than one generation, the newest wrapped keys of all who are
left lie in one file: rows are pointed at them after a restore. Nothing of who was erased is in it.

It names customers by reference alone, and what it holds opens with the keyring only.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from guard.durable import make_folder, replace_file
from guard.errors import KeyUnavailableError
from guard.vault.keyring import lineage_of


class Rewrapped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest generation of a bucket, and the wrapped keys of its customers, by reference."""

    version: int = 1
    tenant: str
    bucket: str
    keys: dict[str, bytes]


class Escrow:
    """The folder of these files, one for each bucket that was wrapped anew."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`; it is backed up with the keyring, and never without."""
        self._folder = folder

    def put(self, tenant: str, bucket: str, keys: Mapping[str, bytes]) -> None:
        """Replace what is kept of a bucket, durably."""
        make_folder(self._folder)
        kept = Rewrapped(tenant=tenant, bucket=bucket, keys=dict(sorted(keys.items())))
        replace_file(self._file(bucket), msgspec.json.encode(kept))

    def of(self, bucket: str) -> Rewrapped | None:
        """What is kept of a bucket, by any of its generations; None: it never had a second.

        Raises:
            KeyUnavailableError: The file cannot be read.
        """
        try:
            return msgspec.json.decode(self._file(bucket).read_bytes(), type=Rewrapped)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError):
            raise KeyUnavailableError(
                f"rewrapped keys `{self._file(bucket)}` cannot be read, restore them with the"
                " keyring"
            ) from None

    def buckets(self) -> list[Rewrapped]:
        """Everything that is kept, by name.

        Raises:
            KeyUnavailableError: A file cannot be read.
        """
        files = sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
        found = (self.of(file.stem) for file in files)
        return [one for one in found if one is not None]

    def _file(self, bucket: str) -> Path:
        return self._folder / f"{lineage_of(bucket)}.json"
