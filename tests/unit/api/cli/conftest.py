"""`guard` as a shell would call it, in this process, over a data folder of the test's own."""

import io
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from api import logs
from api.cli.app import app
from api.cli.outcome import one_line_errors
from guard.clock import ManualClock
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.rig import Rig, open_rig


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Guard = Callable[..., Said]
Fill = Callable[[Callable[[Rig], Awaitable[None]]], None]


@pytest.fixture(autouse=True)
def quiet_logs() -> None:
    """Logs go nowhere, unless a command sets them up itself."""
    logs.configure("warning", io.StringIO())


@pytest.fixture
def data_dir(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrated data folder, which the commands use."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "ledger.db")
    monkeypatch.setenv("RECORDGUARD_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def guard(capsys: pytest.CaptureFixture[str]) -> Guard:
    """Run a command."""

    def run(*words: str | Path) -> Said:
        code = 0
        try:
            with one_line_errors():
                app(list(map(str, words)))
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def fill(data_dir: Path, clock: ManualClock) -> Fill:
    """Let the services work on the folder, and close them again before a command opens it."""

    def run(work: Callable[[Rig], Awaitable[None]]) -> None:
        async def main() -> None:
            await work(opened)

        store = SqlStore(sqlite_url(data_dir / "ledger.db"))
        try:
            with open_rig(store, clock, data_dir) as opened:
                anyio.run(main)
        finally:
            store.close()

    return run
