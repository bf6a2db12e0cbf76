"""A migrated SQLite file for the modules of the store, and a PostgreSQL to change tables in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.postgres import Server


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated file of this test's own."""
    path = tmp_path / "ledger.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


@pytest.fixture
def sqlite_store(sqlite_file: Path) -> Iterator[SqlStore]:
    """A store on that file."""
    with SqlStore(sqlite_url(sqlite_file)) as store:
        yield store


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """A migrated PostgreSQL database that is dropped with the test."""
    with postgres.fresh_database() as url:
        yield url
