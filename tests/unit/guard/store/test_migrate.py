from pathlib import Path

import pytest
from sqlalchemy import text

import guard
from guard.errors import ConfigurationError
from guard.store import migrate
from guard.store.engine import exclusive, migration_engine, sqlite_url


def round_trip(url: str) -> None:
    migrate.downgrade(url, "base")
    assert migrate.current(url) is None
    with pytest.raises(ConfigurationError, match="guard migrate"):
        migrate.check(url)
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.newest()
    migrate.check(url)
    migrate.upgrade(url)


def test_up_check_down_up(store_url: str) -> None:
    migrate.check(store_url)
    round_trip(store_url)


def test_tables_that_differ_from_the_code_are_found(store_url: str) -> None:
    engine = migration_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE facts ADD COLUMN surprise TEXT"))
    engine.dispose()
    with pytest.raises(ConfigurationError, match="surprise"):
        migrate.check(store_url)


def test_a_first_start_makes_the_folder(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "new" / "ledger.db")
    assert migrate.current(url) is None
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.newest()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_tables_do_not_move_under_a_running_broker(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "ledger.db")
    with exclusive(url), pytest.raises(ConfigurationError, match="another broker"):
        migrate.upgrade(url)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    migrate.upgrade(sqlite_url(tmp_path / "ledger.db"))
    (tmp_path / "ledger.db-wal").unlink(missing_ok=True)
    (tmp_path / "ledger.db-wal").mkdir()
    with pytest.raises(ConfigurationError, match=r"`ledger.db` cannot be written \(SQLITE"):
        migrate.check(sqlite_url(tmp_path / "ledger.db"))


def test_an_unknown_revision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="9999"):
        migrate.upgrade(sqlite_url(tmp_path / "ledger.db"), "9999")


def test_scripts_come_from_the_wheel_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (migrate.scripts() / "env.py").is_file()
    (tmp_path / "guard" / "_migrations").mkdir(parents=True)
    monkeypatch.setattr(guard, "__file__", str(tmp_path / "guard" / "__init__.py"))
    assert migrate.scripts() == tmp_path / "guard" / "_migrations"
