"""The command line over a data folder of its own."""

import sys
from functools import partial
from pathlib import Path
from shutil import copytree

import anyio
import pytest

from api.cli import main
from api.settings import Settings
from tests.unit.api.installation import Guard, Ran, settings_of, work_a_morning, write_crm


@pytest.fixture(scope="session")
def morning(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a morning's work was done; to be copied."""
    folder = tmp_path_factory.mktemp("morning")
    (folder / "ledger.db").write_bytes(sqlite_template.read_bytes())
    write_crm(folder)
    anyio.run(partial(work_a_morning, folder))
    return folder


@pytest.fixture
def home(morning: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder after a morning's work, and the environment that names it."""
    folder = copytree(morning, tmp_path / "home")
    (folder / "crm.toml").unlink()
    (folder / "crm.db").unlink()
    write_crm(folder)
    monkeypatch.setenv("RECORDGUARD_DATA_DIR", str(folder))
    monkeypatch.setenv("RECORDGUARD_MAPPING_FILE", str(folder / "crm.toml"))
    return folder


@pytest.fixture
def settings(home: Path) -> Settings:
    return settings_of(home)


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Guard:
    """`guard WORDS`, as a shell runs it."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["guard", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
