"""A database of a test's own with its files at hand: to read them raw, copy them, bring them back.

What a backup is to a test: the files of a database that nobody uses at that moment.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from guard.store.engine import sqlite_url
from tests.support.postgres import TEMPLATE, OwnServer, own_server


class Disk(Protocol):
    """*Protocol* of a database and its files."""

    @property
    def url(self) -> str:
        """The migrated database."""
        ...

    def raw(self) -> dict[str, bytes]:
        """Every file of it, its logs included, as it lies on the disk right now."""
        ...

    def back_up(self, target: Path) -> None:
        """Copy the files; nobody may use the database meanwhile."""
        ...

    def bring_back(self, source: Path) -> None:
        """Put a copy in place of what is there; nobody may use the database meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteDisk:
    """One file, and its write-ahead log while somebody has it open."""

    path: Path

    @property
    def url(self) -> str:
        """See `Disk.url`."""
        return sqlite_url(self.path)

    def raw(self) -> dict[str, bytes]:
        """See `Disk.raw`."""
        return {file.name: file.read_bytes() for file in self._files()}

    def back_up(self, target: Path) -> None:
        """See `Disk.back_up`."""
        target.mkdir()
        for file in self._files():
            shutil.copyfile(file, target / file.name)

    def bring_back(self, source: Path) -> None:
        """See `Disk.bring_back`."""
        for file in self._files():
            file.unlink()
        for file in source.iterdir():
            shutil.copyfile(file, self.path.with_name(file.name))

    def _files(self) -> list[Path]:
        names = (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-journal")
        return [file for name in names if (file := self.path.with_name(name)).exists()]


@dataclass(frozen=True, slots=True)
class PostgresDisk:
    """A data folder of a server of its own: tables, free space, write-ahead log."""

    own: OwnServer
    url: str

    def raw(self) -> dict[str, bytes]:
        """See `Disk.raw`; what waits in memory is written out first."""
        self.own.server.run("CHECKPOINT")
        data = self.own.folder / "data"
        files = [file for part in ("base", "pg_wal") for file in (data / part).rglob("*")]
        return {str(file.relative_to(data)): file.read_bytes() for file in files if file.is_file()}

    def back_up(self, target: Path) -> None:
        """See `Disk.back_up`."""
        self.own.stop()
        _copy(self.own.folder / "data", target)
        self.own.start()

    def bring_back(self, source: Path) -> None:
        """See `Disk.bring_back`."""
        self.own.stop()
        shutil.rmtree(self.own.folder / "data")
        _copy(source, self.own.folder / "data")
        self.own.start()


def _copy(source: Path, target: Path) -> None:
    # With owners and modes: the server takes no folder that is somebody else's.
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # noqa: S603, S607 - the system's own


@contextmanager
def sqlite_disk(folder: Path, template: Path) -> Iterator[SqliteDisk]:
    """A copy of the migrated `template` in `folder`."""
    folder.mkdir(exist_ok=True)
    path = folder / "ledger.db"
    path.write_bytes(template.read_bytes())
    yield SqliteDisk(path)


@contextmanager
def postgres_disk() -> Iterator[PostgresDisk]:
    """A database on a server that nobody else uses."""
    with own_server() as own:
        own.server.run(f"CREATE DATABASE forgotten TEMPLATE {TEMPLATE}")
        yield PostgresDisk(own, own.server.database("forgotten"))
