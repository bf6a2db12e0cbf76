"""A disk that is full: all that shares a transaction fails with it, and the service outlives it."""

import asyncio
import io
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api import logs
from guard.clock import HOUR, ManualClock, monotonic
from guard.entries import EntryKind
from guard.errors import StoreUnavailableError
from guard.ports import Transaction
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from policies.model import Role
from tests.support.log import stored_log
from tests.support.people import DIRECTORY
from tests.support.postgres import own_server
from tests.support.rig import make_caller, open_rig, row_of
from tests.support.service import (
    AGENT,
    Prepared,
    ServeProcess,
    Service,
    command,
    open_service,
    prepare,
)
from tests.support.small_disk import NoSmallDiskError, copied, full, on_small_disk, seen_by

pytestmark = pytest.mark.anyio
IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
FILLS = 10 if IS_FULL else 1
DEADLINE_S = 3.0
# Beyond the deadline and what a busy machine needs to say so.
IN_TIME_S = DEADLINE_S + 5.0
PATIENCE_S = 60.0

ANALYST = make_caller("ana", role=Role.ANALYST, line=("ciso",))
# Rows of this size fill the room that is left, several pages each.
CROWD = [row_of(make_caller(f"n{n}", vendor="v" * 3000)) for n in range(300)]


async def test_a_suspension_beside_work_that_fills_the_disk_is_not_acknowledged(
    sqlite_template: Path, clock: ManualClock, tmp_path: Path
) -> None:
    store = SqlStore(sqlite_url(_copied(sqlite_template, tmp_path / "ledger.db")))
    with open_rig(store, clock, tmp_path) as rig:
        await rig.directory.put(DIRECTORY, [row_of(make_caller("a1"))])
        await rig.committer.run(lambda tx: _leave_room(tx, pages=40))
        gate, is_held = threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(_tx: Transaction) -> None:
            loop.call_soon_threadsafe(is_held.set)
            gate.wait(10)

        held = asyncio.create_task(rig.committer.run(hold))
        await is_held.wait()
        until = clock.now() + HOUR
        suspending = asyncio.create_task(
            rig.suspensions.suspend(ANALYST, agent_id="a1", reason="r", ends_at=until)
        )
        filling = asyncio.create_task(rig.directory.put(DIRECTORY, CROWD))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gate.set()
        await held
        with pytest.raises(StoreUnavailableError):
            await filling
        with pytest.raises(StoreUnavailableError):
            await suspending
        assert await rig.suspensions.active(ANALYST, "a1") == []
        assert not [e for e in rig.log() if e.kind is EntryKind.SUSPENSION]
        await rig.suspensions.suspend(ANALYST, agent_id="a1", reason="r", ends_at=until)
        assert len(await rig.suspensions.active(ANALYST, "a1")) == 1
    store.close()


def _copied(template: Path, path: Path) -> Path:
    path.write_bytes(template.read_bytes())
    return path


def _leave_room(tx: Transaction, *, pages: int) -> None:
    connection = tx.rows._connection  # type: ignore[attr-defined] # noqa: SLF001 - to stand in for a full disk
    used = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count={used + pages}")


def asked(client: httpx2.Client, prepared: Prepared, path: str = "") -> int:
    """The status of a view, or of `path`; every answer comes in time."""
    began = monotonic()
    if path:
        status = client.get(path).status_code
    else:
        body = {"customer": prepared.refs[0], "purpose": "support_case", "reason": "asked"}
        headers = prepared.tokens.header(AGENT)
        status = client.post("/v1/views", json=body, headers=headers).status_code
    assert monotonic() - began < IN_TIME_S
    return status


def until(client: httpx2.Client, prepared: Prepared, wanted: int, path: str = "") -> int:
    """Ask until the answer is `wanted`; how many had another."""
    began, others = monotonic(), 0
    while asked(client, prepared, path) != wanted:
        assert monotonic() - began < PATIENCE_S
        others += 1
    return others


@pytest.mark.enable_socket
@pytest.mark.functional
@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
async def test_a_service_whose_disk_is_full_refuses_in_time_and_goes_on_when_there_is_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, made = tmp_path / "data", tmp_path / "made"
    prepared = await prepare(folder, worker=False, admit_deadline_s=DEADLINE_S)
    folder.rename(made)
    folder.mkdir()
    try:
        prefix = on_small_disk(folder, made, "32m")
    except NoSmallDiskError as error:
        pytest.skip(str(error))
    with ServeProcess(prepared.env, tmp_path / "serve.log", prefix) as server:
        server.start()
        disk = seen_by(server.pid, folder)
        with httpx2.Client(base_url=server.base_url, timeout=PATIENCE_S) as client:
            for _ in range(FILLS):
                assert asked(client, prepared) == 200
                with full(disk):
                    # What the write-ahead log has room for already may still be taken.
                    until(client, prepared, 503)
                    assert asked(client, prepared, "/livez") == 200
                    until(client, prepared, 503, "/readyz")
                until(client, prepared, 200)
                until(client, prepared, 200, "/readyz")
        os.kill(server.pid, signal.SIGSTOP)
        copied(disk, folder)
    code, said, failed = command(["verify"], prepared.env)
    assert code == 0, said + failed
    with capsys.disabled():
        sys.stdout.write(f"\nSQLite: full {FILLS} times; {said.splitlines()[0]}\n")


async def status(service: Service, path: str = "") -> int:
    """As `asked`, of a service in this process."""
    began = monotonic()
    if path:
        answer = await service.client.get(path)
    else:
        answer = await service.view(service.refs[0], reason="asked")
    assert monotonic() - began < IN_TIME_S
    return answer.status_code


async def reached(service: Service, wanted: int, path: str = "") -> None:
    """As `until`, of a service in this process."""
    began = monotonic()
    while await status(service, path) != wanted:
        assert monotonic() - began < PATIENCE_S


@pytest.mark.postgres
@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
async def test_a_postgresql_whose_disk_is_full_is_an_outage_that_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("warning", io.StringIO())
    limits: dict[str, Any] = {"admit_deadline_s": DEADLINE_S, "read_deadline_s": DEADLINE_S}
    with own_server() as own:
        try:
            disk = own.onto_small_disk("96m")
        except NoSmallDiskError as error:
            pytest.skip(str(error))
        with own.server.fresh_database() as url:
            async with open_service(url, tmp_path, **limits) as service:
                for _ in range(FILLS):
                    assert await status(service) == 200
                    with full(disk):
                        # Pages that its tables have already still take some.
                        await reached(service, 503)
                        assert await status(service, "/livez") == 200
                    await reached(service, 200)
                    await reached(service, 200, "/readyz")
            with SqlStore(url) as store:
                size = len(stored_log(store))
    with capsys.disabled():
        sys.stdout.write(f"\nPostgreSQL: full {FILLS} times; {size} entries, gaps 0\n")
