"""A SQLite store with customers, for the one writer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.makers import make_subject


@pytest.fixture
def store(sqlite_template: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """A store that knows the customers c1, c2 and the erased c9."""
    path = tmp_path / "ledger.db"
    path.write_bytes(sqlite_template.read_bytes())
    with SqlStore(sqlite_url(path)) as opened:
        with opened.begin() as rows:
            rows.add_subjects(
                [make_subject("c1"), make_subject("c2"), make_subject("c9", wrapped_key=None)]
            )
        yield opened
