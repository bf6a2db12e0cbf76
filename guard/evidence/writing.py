"""Writes a bundle of evidence as a stream of bytes, in constant memory.

A zip file without seeking: each file of the bundle is compressed as it comes, and its digest goes
into the manifest, which is the last file. A bundle that breaks off has no manifest and no
directory, and no reader opens it.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

# Every bundle of the same content has the same bytes; when it was made is in the manifest.
_TIME = (1980, 1, 1, 0, 0, 0)


class _Sink:
    """What has been written and not been taken yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: bytes) -> int:
        self._held += content
        return len(content)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


class BundleFile:
    """One file of the bundle, open for writing."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write into `file`."""
        self._file, self._hash = file, hashlib.sha256()

    def write(self, content: bytes) -> None:
        """Append."""
        self._hash.update(content)
        self._file.write(content)

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._hash.hexdigest()


class BundleWriter:
    """A bundle that is being written; `take` what is ready at any time."""

    def __init__(self) -> None:
        """Start with no file."""
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_DEFLATED)
        self.files: dict[str, str] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[BundleFile]:
        """Write the file `name`; one at a time."""
        info = zipfile.ZipInfo(name, _TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as inner:
            file = BundleFile(inner)
            yield file
        self.files[name] = file.digest

    def add(self, name: str, content: bytes) -> None:
        """Write a small file at once."""
        with self.open(name) as file:
            file.write(content)

    def take(self) -> bytes:
        """The bytes that are ready to leave."""
        return self._sink.take()

    def close(self) -> None:
        """Write the directory of the zip file; take what is left afterwards."""
        self._zip.close()
