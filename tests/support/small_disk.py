"""A disk of some megabytes for one process: a file system in memory that only it sees mounted.

The process runs in a mount namespace of its own, which any user may make where user namespaces are
on. From outside its disk is reached through `/proc`, to fill it and to make room again.
"""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Mounts the disk, fills it with what was prepared, and becomes the program.
_SCRIPT = (
    'mount -t tmpfs -o size="$1",mode=700 none "$2" && cp -a "$3"/. "$2" && shift 3 && exec "$@"'
)
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
BALLAST = "ballast"


class NoSmallDiskError(Exception):
    """Raised where this machine lets nobody mount anything; the text says why."""


def on_small_disk(folder: Path, prepared: Path, size: str) -> tuple[str, ...]:
    """What to run a program with, so that `folder` is such a disk with a copy of `prepared`.

    Raises:
        NoSmallDiskError: It cannot be had here.
    """
    probe = [*_UNSHARE, "sh", "-c", "mount -t tmpfs none /mnt"]
    try:
        subprocess.run(probe, check=True, capture_output=True)  # noqa: S603 - our own words
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoSmallDiskError(f"no file system can be mounted here: {error}") from None
    return (*_UNSHARE, "sh", "-c", _SCRIPT, "sh", size, str(folder), str(prepared))


def seen_by(pid: int, folder: Path) -> Path:
    """A folder as the process sees it."""
    return Path(f"/proc/{pid}/root") / folder.relative_to("/")


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no byte on a disk for the length of a block."""
    path = disk / BALLAST
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12):
            _write_until_full(descriptor, bytes(size))
        yield
    finally:
        os.close(descriptor)
        path.unlink()


def _write_until_full(descriptor: int, piece: bytes) -> None:
    try:
        while True:
            os.write(descriptor, piece)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def copied(disk: Path, target: Path) -> None:
    """Keep what is on a disk that is about to go with its process."""
    shutil.copytree(disk, target, dirs_exist_ok=True)
