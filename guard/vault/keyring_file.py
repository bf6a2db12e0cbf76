"""The keyring's file: read whole, replaced atomically, changed by one process at a time.

A keyring that existed once and is gone is an error, not a first run: making a new one would turn
every entry and customer unreadable for good.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from guard.durable import PRIVATE, make_folder, replace_file
from guard.errors import KeyUnavailableError
from guard.vault.kms import Kms, create_root_key, open_kms, path_of

_CHECK = b"recordguard keyring v1"
_NAME_CONTEXT = "keyring/check"


class Tables(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The keyring file. Every value is wrapped; bytes are base64."""

    version: int = 1
    check: bytes
    tenants: dict[str, bytes] = {}
    buckets: dict[str, bytes] = {}
    epochs: dict[str, bytes] = {}
    signing: dict[str, bytes] = {}
    # Buckets that take nobody more and are about to be destroyed.
    retired: list[str] = []

    def of(self, name: str) -> dict[str, bytes]:
        """The table of that name."""
        tables: dict[str, dict[str, bytes]] = {
            "tenants": self.tenants,
            "buckets": self.buckets,
            "epochs": self.epochs,
            "signing": self.signing,
        }
        return tables[name]


class KeyringFile:
    """The file as it was read last. Whoever shares it between threads locks."""

    def __init__(self, kms: Kms, path: Path) -> None:
        """Read the file at `path`.

        Raises:
            KeyUnavailableError: It is gone, malformed, newer, or another root key's.
        """
        self._kms, self._path = kms, path
        self._stamp: tuple[int, int] = (0, 0)
        self.tables = self._read()

    def reload(self) -> None:
        """Read it again.

        Raises:
            KeyUnavailableError: As of the constructor.
        """
        self.tables = self._read()

    def is_stale(self) -> bool:
        """Whether another file lies there than the one that was read."""
        return self._stamp_of_file() != self._stamp

    def change(self, change: Callable[[Tables], bool]) -> None:
        """Change what is in the file now, if `change` says that it did; then go on with that.

        Raises:
            KeyUnavailableError: As of the constructor, or it cannot be written.
        """
        with _locked(self._path):
            tables = self._read()
            if change(tables):
                replace_file(self._path, msgspec.json.format(msgspec.json.encode(tables)))
            # INVARIANT: a key is used only after it is durable, so memory follows the file.
            self.tables = tables

    def _stamp_of_file(self) -> tuple[int, int]:
        """Which file lies there: it is never written to, but replaced by another one."""
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return found.st_ino, found.st_mtime_ns

    def _read(self) -> Tables:
        self._stamp = self._stamp_of_file()
        try:
            file = msgspec.json.decode(self._path.read_bytes(), type=Tables)
            self._kms.unwrap(file.check, _NAME_CONTEXT)
        except OSError as error:
            raise KeyUnavailableError(
                f"keyring `{self._path}` cannot be read ({error.strerror}), restore it"
            ) from None
        except msgspec.MsgspecError:
            raise KeyUnavailableError(
                f"keyring `{self._path}` is malformed, restore it from its backup"
            ) from None
        except KeyUnavailableError:
            raise KeyUnavailableError(
                f"keyring `{self._path}` belongs to another root key, restore the pair together"
            ) from None
        if file.version != 1:
            raise KeyUnavailableError(f"keyring `{self._path}` is newer than this release, update")
        return file


def make_keyring(uri: str, keyring_path: Path) -> None:
    """Make the file, and a `file:` root key, on the very first run; otherwise do nothing.

    Raises:
        ConfigurationError: The KMS URI is not supported, or the root key file is unsafe.
        KeyUnavailableError: There was a keyring once, or it cannot be written.
    """
    make_folder(keyring_path.parent)
    with _locked(keyring_path) as marker:
        if not keyring_path.exists():
            if os.fstat(marker).st_size:
                raise KeyUnavailableError(
                    f"keyring `{keyring_path}` is gone, restore it from its backup"
                )
            create_root_key(path_of(uri))
            fresh = Tables(check=open_kms(uri).wrap(_CHECK, _NAME_CONTEXT))
            replace_file(keyring_path, msgspec.json.encode(fresh))
            os.write(marker, b"made\n")
            os.fsync(marker)


@contextmanager
def _locked(keyring_path: Path) -> Iterator[int]:
    """Keep other processes from changing the keyring; yields the lock file's descriptor.

    The lock file is empty until a keyring has been made beside it, and never again.
    """
    name = keyring_path.with_name(keyring_path.name + ".lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KeyUnavailableError(
            f"keyring `{keyring_path}` cannot be written ({error.strerror}), check its folder"
        ) from None
