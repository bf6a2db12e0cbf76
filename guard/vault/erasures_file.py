"""Who was forgotten, kept outside the database: a restored backup does not know it.

One line for each key that was destroyed: its opaque id, and the id of the `ERASURE` entry that says
why. It lies beside the high-water mark and, like it, must never be restored from the backup that
the database comes from. It only grows, and a line more than once does no harm.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guard.durable import PRIVATE, make_folder, replace_file
from guard.errors import ConfigurationError

_HEADER = "recordguard-erasures-v1"
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Erased:
    """A destroyed key, and the entry that stands for it; both in hex."""

    key_id: str
    entry_id: str


class ErasuresFile:
    """The file; written by one process at a time (see `alone`)."""

    def __init__(self, path: Path) -> None:
        """Keep it at `path`."""
        self._path = path

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep other processes from destroying keys; False: another one is at it right now."""
        make_folder(self._path.parent)
        name = self._path.with_name(self._path.name + ".lock")
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def add(self, erased: Iterable[Erased]) -> None:
        """Add what is not there yet; durable when this returns."""
        known = self.read()
        all_of_them = known | set(erased)
        if all_of_them == known:
            return
        lines = [f"{one.key_id} {one.entry_id}" for one in sorted(all_of_them)]
        make_folder(self._path.parent)
        replace_file(self._path, "\n".join((_HEADER, *lines, "")).encode())

    def read(self) -> frozenset[Erased]:
        """Every line of it; none if nobody was ever erased.

        Raises:
            ConfigurationError: It cannot be read, or is something else.
        """
        try:
            text = self._path.read_text("ascii")
        except FileNotFoundError:
            return frozenset()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"erasures file `{self._path}` cannot be read, bring back its newest copy"
            ) from None
        header, *lines = text.split("\n")
        if header != _HEADER or lines[-1:] != [""]:
            raise self._malformed()
        return frozenset(map(self._erased, lines[:-1]))

    def _erased(self, line: str) -> Erased:
        key, _, entry = line.partition(" ")
        if len(key) != _ID_DIGITS or len(entry) != _ID_DIGITS:
            raise self._malformed()
        return Erased(key_id=key, entry_id=entry)

    def _malformed(self) -> ConfigurationError:
        return ConfigurationError(
            f"erasures file `{self._path}` is malformed, bring back its newest copy"
        )
