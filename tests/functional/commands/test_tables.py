import json
from pathlib import Path

import pytest

from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from tests.unit.api.installation import Guard


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that does not exist yet."""
    folder = tmp_path / "new"
    monkeypatch.setenv("RECORDGUARD_DATA_DIR", str(folder))
    return folder


def test_the_first_run_makes_the_folder_and_the_tables(guard: Guard, folder: Path) -> None:
    ran = guard("migrate", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {"revision": migrate.newest()}
    SqlStore(sqlite_url(folder / "ledger.db")).close()


def test_a_second_run_changes_nothing(guard: Guard, folder: Path) -> None:
    guard("migrate")
    before = (folder / "ledger.db").read_bytes()
    assert migrate.newest() in guard("migrate").out
    assert (folder / "ledger.db").read_bytes() == before


def test_a_check_of_no_tables_says_what_to_run(guard: Guard, folder: Path) -> None:
    ran = guard("migrate", "--check")
    assert ran.code == 78
    assert "guard migrate" in ran.err
    assert not folder.exists()


@pytest.mark.usefixtures("folder")
def test_a_check_of_the_right_tables_holds(guard: Guard) -> None:
    guard("migrate")
    assert guard("migrate", "--check").code == 0


@pytest.mark.usefixtures("folder")
def test_going_back_drops_the_tables(guard: Guard) -> None:
    guard("migrate")
    assert guard("migrate", "--down").out == "the tables stand at revision none\n"
    assert guard("migrate", "--check").code == 78


@pytest.mark.usefixtures("folder")
def test_one_cannot_look_and_drop_at_once(guard: Guard) -> None:
    guard("migrate")
    assert guard("migrate", "--check", "--down").code == 65
    assert guard("migrate", "--check").code == 0


def test_tables_do_not_move_under_a_running_broker(guard: Guard, folder: Path) -> None:
    guard("migrate")
    running = SqlStore(sqlite_url(folder / "ledger.db"))
    ran = guard("migrate", "--down")
    running.close()
    assert ran.code == 78
    assert guard("migrate", "--check").code == 0
