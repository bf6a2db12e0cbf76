"""Files that a crash cannot leave half-written.

Content goes to a temporary file in the same folder, is forced to disk, and takes its name in one
step; then the folder is forced to disk, as a name that is not durable is no file after a power cut.
"""

import errno
import os
from pathlib import Path
from secrets import token_hex

from guard.errors import DurabilityError

# Only the owner may read what does not say otherwise.
PRIVATE = 0o600


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Create a folder with its parents, durably; one that exists is left as it is."""
    if path.is_dir():
        return
    make_folder(path.parent, mode)
    path.mkdir(mode=mode, exist_ok=True)
    _sync_folder(path.parent)


def replace_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file, or put `content` in its place; readers see the old or the new, whole."""
    temporary = _write_beside(path, content, mode)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def create_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a new file.

    Raises:
        FileExistsError: There is one already; it is left as it is.
    """
    temporary = _write_beside(path, content, mode)
    try:
        # A rename would replace what another process has just created; a link refuses to.
        path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            _sync(file.fileno())
    except (OSError, DurabilityError):
        temporary.unlink()
        raise
    return temporary


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Force to disk.

    Raises:
        DurabilityError: The disk failed; trying again would only seem to succeed.
        OSError: It did not work for a reason that passes.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise DurabilityError("a disk failed to keep a file, look at it and start again") from None
