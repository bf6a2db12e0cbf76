"""Small secrets that the service makes for itself, one file each, readable by its owner only."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from guard.errors import ConfigurationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """Read the secret in `path`, or make it there with mode 0600.

    Two processes that start at once agree: the file appears whole or not at all, and the second
    reads what the first wrote.

    Raises:
        ConfigurationError: Others may read the file, or it cannot be read or made.
    """
    try:
        if not path.exists():
            _create(path, make())
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise ConfigurationError(f"{path.name} can be read by others: chmod 600 it")
            return file.read()
    except OSError as error:
        raise ConfigurationError(f"cannot use {path.name}: {error.strerror}") from error


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A hard link fails when the name is taken, a rename would replace the winner's secret.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
