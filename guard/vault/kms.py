"""The key that wraps all others, reached by URI.

A `Kms` wraps and unwraps small keys; its own key never leaves it. The scheme of the URI picks the
implementation. This release has one: `file:<path>`, a root key in a file that only its owner may
read. The file is made on the first run; one that others can read is refused, never repaired, as
nobody can tell who has read it.
"""

import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from pathlib import Path
from secrets import token_bytes
from typing import Protocol
from urllib.parse import unquote, urlsplit

from guard.durable import create_file, make_folder
from guard.errors import ConfigurationError, KeyUnavailableError
from guard.vault.envelope import KEY_SIZE, SealKey, place

_HEADER = "recordguard-root-key-v1"

# The file is one short line; more than this is another file.
_MAX_FILE = 1024


class Kms(Protocol):
    """*Protocol* of what holds the root key."""

    def wrap(self, key: bytes, context: str) -> bytes:
        """Wrap a key; only the same context unwraps it."""
        ...

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Give back a wrapped key.

        Raises:
            KeyUnavailableError: The root key is another one, or the bytes or context were changed.
        """
        ...


class FileKms:
    """A root key that was read from a file."""

    def __init__(self, root: bytes) -> None:
        """Hold the 32 bytes of the root key."""
        self._key = SealKey(root)

    def wrap(self, key: bytes, context: str) -> bytes:
        """See `Kms.wrap`."""
        return self._key.seal(key, place("kms", context))

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """See `Kms.unwrap`."""
        return self._key.open(wrapped, place("kms", context))


def path_of(uri: str) -> Path:
    """The file that a `file:` URI names, absolute or relative to the working directory.

    Raises:
        ConfigurationError: The scheme is not `file`, or there is no path.
    """
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc or not parts.path:
        raise ConfigurationError(
            f"KMS scheme `{parts.scheme}` is not supported, use `file:/path/of/root.key`"
        )
    return Path(unquote(parts.path))


def create_root_key(path: Path) -> None:
    """Make a root key file of mode 0600, durably; one that exists already is left as it is."""
    make_folder(path.parent)
    text = f"{_HEADER} {b64encode(token_bytes(KEY_SIZE)).decode()}\n"
    try:
        create_file(path, text.encode())
    except FileExistsError:
        return


def open_kms(uri: str) -> Kms:
    """Open the KMS that `uri` names.

    Raises:
        ConfigurationError: The URI is not supported, or the root key file is unsafe or malformed.
        KeyUnavailableError: The root key file is missing or unreadable.
    """
    path = path_of(uri)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(_MAX_FILE).decode("ascii", "replace")
    except OSError as error:
        raise KeyUnavailableError(
            f"root key `{path}` cannot be read ({error.strerror}), restore it from its backup"
        ) from None
    if mode & 0o077:
        raise ConfigurationError(
            f"root key `{path}` has mode {mode:04o} and others may have read it: use another one,"
            " or run `chmod 600` on it if you know that nobody did"
        )
    header, _, encoded = text.strip().partition(" ")
    try:
        root = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        root = b""
    if header != _HEADER or len(root) != KEY_SIZE:
        raise ConfigurationError(f"root key `{path}` is malformed, restore it from its backup")
    return FileKms(root)
