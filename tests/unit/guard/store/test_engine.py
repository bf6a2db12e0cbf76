from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from guard.errors import ConfigurationError
from guard.store.engine import (
    exclusive,
    is_sqlite,
    parse,
    reader_engine,
    sqlite_url,
    url_from,
    writer_engine,
)


def test_writer_of_a_file_is_durable_and_checks_references(tmp_path: Path) -> None:
    engine = writer_engine(sqlite_url(tmp_path / "a.db"))
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in pragmas]
    engine.dispose()
    assert values == ["wal", 2, 1, 1000]


def test_a_second_writer_waits_at_the_start_and_not_at_the_end(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "a.db")
    first, second = writer_engine(url), writer_engine(url)
    with first.begin(), pytest.raises(OperationalError, match="locked"):
        second.connect().execute(text("SELECT 1"))
    first.dispose()
    second.dispose()


def test_a_reader_neither_writes_nor_creates(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "a b%.db")
    missing = reader_engine(url)
    with pytest.raises(OperationalError):
        missing.connect().execute(text("SELECT 1"))
    assert not list(tmp_path.iterdir())
    writer = writer_engine(url)
    with writer.begin() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
    with missing.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
        with pytest.raises(OperationalError, match="readonly"):
            connection.execute(text("INSERT INTO t VALUES (1)"))
    writer.dispose()
    missing.dispose()


def test_a_file_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "a.db")
    with (
        exclusive(url),
        pytest.raises(ConfigurationError, match="another broker"),
        exclusive(url),
    ):
        pass
    with exclusive(url):
        pass


def test_a_folder_that_is_missing_is_told_plainly(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigurationError, match="folder"), exclusive(sqlite_url(blocked / "a.db")):
        pass


def test_postgresql_needs_no_file_lock() -> None:
    with exclusive("postgresql://host/name"), exclusive("postgresql://host/name"):
        pass


def test_urls_get_our_drivers() -> None:
    assert parse("postgresql://u@h/d").drivername == "postgresql+psycopg"
    assert parse("sqlite:///x.db").drivername == "sqlite+pysqlite"
    assert is_sqlite("sqlite:///x.db")
    assert not is_sqlite("postgresql://u@h/d")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "nonsense"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(url)


def test_tools_find_the_services_database() -> None:
    assert url_from({"RECORDGUARD_DATABASE_URL": "postgresql://h/d"}) == "postgresql://h/d"
    assert url_from({"RECORDGUARD_DATA_DIR": "/var/lib/rg"}).endswith("/var/lib/rg/ledger.db")
    assert url_from({}) == "sqlite+pysqlite:///data/ledger.db"


@pytest.mark.postgres
def test_a_server_that_commits_in_memory_is_refused(postgres_url: str) -> None:
    separator = "&" if "?" in postgres_url else "?"
    engine = writer_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "10s"
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
        connection.commit()
    engine.dispose()
    again = writer_engine(postgres_url + separator + "application_name=x")
    with pytest.raises(ConfigurationError, match="synchronous_commit"):
        again.connect()
    again.dispose()
