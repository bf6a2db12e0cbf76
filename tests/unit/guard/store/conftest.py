"""A migrated SQLite file for the modules of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.store import SqlStore
from guard.store.engine import sqlite_url


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
