"""Fixtures that every kind of test may use."""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import event
from sqlalchemy.pool import Pool

from guard.clock import ManualClock
from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from tests.support.makers import NOON
from tests.support.postgres import Kept, NoPostgresError, Server, shared_server

# The same examples on every run of the quick form; `make prove` looks for new ones, and longer. How
# fast a machine makes examples says nothing about the code.
settings.register_profile(
    "quick", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "full", max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
FULL = bool(os.environ.get("RECORDGUARD_FULL"))
settings.load_profile("full" if FULL else "quick")


# Thousands of repetitions along paths that other tests walk once, and whole services. To trace them
# costs half as much again, and a gap that only chance closes would come back one day.
UNTRACED = {"concurrency", "external", "functional", "properties", "scenarios", "tamper"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that no worker ends alone with one; else the order is random."""
    items.sort(key=lambda item: UNTRACED.isdisjoint(item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have coverage look away from a test of `UNTRACED`, its fixtures included."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    tracer = getattr(plugin, "cov_controller", None)
    if tracer is None or UNTRACED.isdisjoint(item.path.parts):
        return (yield)
    tracer.pause()
    try:
        return (yield)
    finally:
        tracer.resume()


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Nobody pulls the plug of the quick form, so it does not wait for the disk; `make prove` does.

    A database is set so from its second use on: how the first one finds it is tested.
    """
    if FULL:
        yield
        return

    def unsynced(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            # A source's connection may stop whatever runs, this too: it writes nothing anyway.
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA synchronous=OFF")

    event.listen(Pool, "checkin", unsynced)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield
    event.remove(Pool, "checkin", unsynced)


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


@pytest.fixture(scope="session")
def postgres_kept(postgres: Server) -> Iterator[Kept]:
    """This worker's database for tests that leave the tables as they are."""
    with postgres.kept_database() as kept:
        yield kept


@pytest.fixture
def postgres_url(postgres_kept: Kept) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    yield postgres_kept.url
    postgres_kept.empty()


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
