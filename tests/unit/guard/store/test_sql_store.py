import resource
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, DurabilityError, StoreUnavailableError
from guard.store import SqlReader, SqlStore, migrate
from guard.store.engine import sqlite_url
from tests.support.makers import TENANT, make_principal


def test_a_second_broker_on_the_file_is_refused_and_a_reader_is_not(sqlite_file: Path) -> None:
    url = sqlite_url(sqlite_file)
    with SqlStore(url) as store:
        with pytest.raises(ConfigurationError, match="another broker"):
            SqlStore(url)
        with store.begin() as rows:
            rows.put_principal(make_principal())
        with SqlReader(url) as reader, reader.read() as view:
            assert len(view.principals(TENANT)) == 1
    SqlStore(url).close()


def test_a_store_at_another_revision_is_refused_and_lets_go_of_the_file(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "ledger.db")
    with pytest.raises(ConfigurationError, match="guard migrate"):
        SqlStore(url)
    migrate.upgrade(url)
    SqlStore(url).close()


def test_a_write_in_progress_makes_a_check_fail(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin(), pytest.raises(StoreUnavailableError, match="busy"):
        sqlite_store.check()
    sqlite_store.check()


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    reader = SqlReader(sqlite_url(tmp_path / "nowhere.db"))
    with pytest.raises(StoreUnavailableError, match="SQLITE_CANTOPEN"), reader.read() as view:
        view.head()


def test_a_file_that_turned_read_only_fails_the_check(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows._connection.exec_driver_sql("PRAGMA query_only=ON")  # noqa: SLF001 - as a full disk would
    with pytest.raises(StoreUnavailableError):
        sqlite_store.check()


def test_a_full_disk_fails_the_check_until_there_is_room(sqlite_store: SqlStore) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(StoreUnavailableError, match="SQLITE_"):
            sqlite_store.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    sqlite_store.check()


def test_after_the_disk_lost_what_it_took_nothing_is_written(sqlite_store: SqlStore) -> None:
    with pytest.raises(DurabilityError, match="lost"), sqlite_store.begin():
        raise DurabilityError("lost")
    with pytest.raises(DurabilityError, match="before"):
        sqlite_store.check()
    with sqlite_store.read() as view:
        assert view.head()[0] == 0


def test_a_closed_store_is_not_written(sqlite_file: Path) -> None:
    store = SqlStore(sqlite_url(sqlite_file))
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"), store.begin():
        pass
