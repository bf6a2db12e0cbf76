"""Fixtures that every kind of test may use."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from guard.clock import ManualClock
from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from tests.support.makers import NOON
from tests.support.postgres import NoPostgresError, Server, shared_server

# The same examples on every run of the quick form; `make prove` looks for new ones, and longer. How
# fast a machine makes examples says nothing about the code.
settings.register_profile(
    "quick", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "full", max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("full" if os.environ.get("RECORDGUARD_FULL") else "quick")


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Logging set up by a test ends with it: its stream is closed for whoever comes next."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    """A domain clock that stands at noon."""
    return ManualClock(NOON)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the whole session, all its workers included."""
    base = tmp_path_factory.getbasetemp()
    is_worker = base.name.startswith("popen-")
    try:
        with shared_server(base.parent if is_worker else base) as server:
            yield server
    except NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    with postgres.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    migrate.upgrade(sqlite_url(path))
    return path


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated, empty database, once per engine."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    template: Path = request.getfixturevalue("sqlite_template")
    tmp_path: Path = request.getfixturevalue("tmp_path")
    target = tmp_path / "ledger.db"
    target.write_bytes(template.read_bytes())
    return sqlite_url(target)


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """An empty store, once per engine."""
    opened = SqlStore(store_url)
    yield opened
    opened.close()
