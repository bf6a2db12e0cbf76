"""The application over fakes, and a client that speaks to it in process."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api import logs
from api.app import create_app
from guard.clock import ManualClock
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.rig import Rig, open_rig
from tests.unit.api.fakes import World


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def log_lines() -> io.StringIO:
    stream = io.StringIO()
    logs.configure("debug", stream)
    return stream


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def client(world: World, log_lines: io.StringIO) -> Iterator[TestClient]:
    assert log_lines.getvalue() == ""
    app = create_app(world, wall=world.clock.now)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def rig(sqlite_template: Path, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    """The whole guard over a real store; both engines are the contracts' business."""
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    store = SqlStore(sqlite_url(ledger))
    with open_rig(store, clock, tmp_path) as opened:
        yield opened
    store.close()
