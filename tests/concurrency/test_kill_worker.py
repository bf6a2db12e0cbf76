"""kill -9 of the worker, again and again: each entry is judged once, each finding is said once.

The broker tails the outbox all the while, as it does in service. What it heard in the end is held
against what a worker says that nobody kills.
"""

import contextlib
import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.cli.demo.cast import acting
from api.cli.opened import services
from api.identity.scopes import ALL
from api.places import database_url, worker_file
from guard.store.sql_store import SqlReader
from guard.store.worker_file import PAGE, WorkerFile
from guard.views import Refused, ViewRequest
from policies.model import Role
from tests.concurrency.watcher import watch
from tests.support.service import AGENT, Prepared, person, prepare

pytestmark = pytest.mark.anyio
IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
KILLS = 60 if IS_FULL else 6
# Enough that the last of them still has something to read.
LOOKS = 8 * KILLS + 20
SEED = 20_261_123
PATIENCE_S = 60.0

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.concurrency.watcher"])


async def worked(folder: Path) -> tuple[Prepared, int]:
    """An installation with a log of refusals; how many entries it has."""
    prepared = await prepare(folder)
    agent = acting(person(AGENT, Role.AGENT), frozenset(ALL))
    async with services(prepared.settings) as opened:
        for n in range(LOOKS):
            ref = prepared.refs[n % len(prepared.refs)]
            asked = ViewRequest(customer=ref, purpose="curiosity")
            assert isinstance(await opened.broker.view(agent, asked), Refused)
    with SqlReader(database_url(prepared.settings)) as store, store.read() as view:
        size, _ = view.head()
    return prepared, size


def begin(prepared: Prepared, file: Path | None = None) -> tuple[Any, Connection]:
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=watch, args=(prepared.env, file, theirs))
    process.start()
    theirs.close()
    return process, ours


def end(process: Any, pipe: Connection) -> None:  # noqa: ANN401 - a context's own class
    process.kill()
    process.join()
    pipe.close()


def heard(pipe: Connection) -> int:
    """The cursor after another turn."""
    assert pipe.poll(PATIENCE_S)
    return int(pipe.recv_bytes())


def said(file: WorkerFile, position: int = 0) -> list[tuple[int, str]]:
    """Position and key of each finding behind `position`."""
    found: list[tuple[int, str]] = []
    while items := file.after(found[-1][0] if found else position, PAGE):
        found += [(item.position, item.finding.key) for item in items]
    return found


async def test_a_killed_worker_skips_nothing_and_says_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared, size = await worked(tmp_path / "data")
    alone = tmp_path / "alone.db"
    process, pipe = begin(prepared, alone)
    while heard(pipe) < size:
        pass
    end(process, pipe)
    with contextlib.closing(WorkerFile(alone)) as file:
        expected = said(file)
    assert len(expected) >= LOOKS

    rng = np.random.default_rng(SEED)
    outbox = WorkerFile(worker_file(prepared.settings))
    got: list[tuple[int, str]] = []
    cursors = [0]
    for _ in range(KILLS):
        process, pipe = begin(prepared)
        cursors += [heard(pipe) for _ in range(int(rng.integers(1, 5)))]
        end(process, pipe)
        got += said(outbox, got[-1][0] if got else 0)
        # What it told of was saved, and the findings of it are there.
        assert outbox.load()[0] >= cursors[-1]
    process, pipe = begin(prepared)
    while heard(pipe) < size:
        pass
    end(process, pipe)
    got += said(outbox, got[-1][0])
    assert cursors == sorted(cursors)
    assert got == expected
    assert got == said(outbox)
    outbox.close()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{KILLS} kills of the worker: {size} entries read, {len(got)} findings;"
            " skipped 0, said twice 0, positions left out 0\n"
        )
