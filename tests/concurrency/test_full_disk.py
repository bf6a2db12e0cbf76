"""A disk that fills up in the middle of a batch: all that shares the transaction fails with it."""

import asyncio
import threading
from pathlib import Path

import pytest

from guard.clock import HOUR, ManualClock
from guard.entries import EntryKind
from guard.errors import StoreUnavailableError
from guard.ports import Transaction
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from policies.model import Role
from tests.support.people import DIRECTORY
from tests.support.rig import make_caller, open_rig, row_of

pytestmark = pytest.mark.anyio

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
