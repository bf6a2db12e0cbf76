"""Several brokers on one PostgreSQL, killed, stopped, and with the server killed under them.

Whatever happens: all that was acknowledged is in the log once, writers' numbers have no gap, the
tree is the one over exactly these leaves, and the published files hold against the log's key.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGQUIT, SIGSTOP, Signals

import numpy as np
import pytest

from guard.admission import GroupCommitter
from guard.clock import ManualClock, monotonic
from guard.ledger.verify import verify_files
from guard.store import SqlStore
from tests.concurrency.broker import CALLERS, SIGNER, Child, join, publisher_of, serve
from tests.support.log import opened_log
from tests.support.makers import NOON, make_subject
from tests.support.postgres import own_server
from tests.support.rig import SettledReaders
from tests.support.sealing import PlainReceipts, PlainSealer

pytestmark = [pytest.mark.postgres, pytest.mark.anyio]
IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
KILLS = 40 if IS_FULL else 4
SERVER_KILLS = 15 if IS_FULL else 2
STOPS = 5 if IS_FULL else 1
SEED = 20_261_122
BROKERS = 2
TAKEN_OVER_S = 5.0

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.concurrency.broker"])


@contextmanager
def brokers(url: str, folders: list[Path]) -> Iterator[list[Child]]:
    """One broker for each folder, killed after the block."""
    children = [begin(url, folder, number) for number, folder in enumerate(folders)]
    try:
        yield children
    finally:
        for child in children:
            if child.process.is_alive():
                child.signal(SIGCONT)
                child.kill()


def begin(url: str, folder: Path, number: int) -> Child:
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=serve, args=(url, folder, number, theirs))
    process.start()
    theirs.close()
    child = Child(process, ours)
    child.listen()
    return child


def stock(url: str) -> None:
    with SqlStore(url) as store, store.begin() as rows:
        rows.add_subjects(
            [make_subject(f"c{n}-{m}") for n in range(BROKERS) for m in range(CALLERS)]
        )


async def check(url: str, promised: set[str], folder: Path) -> int:
    """Hold the log against what was acknowledged, publish the rest, check the files."""
    with SqlStore(url) as store:
        ids = [entry.entry_id for entry in opened_log(store)]
        assert len(ids) == len(set(ids))
        assert promised <= set(ids)
        readers = SettledReaders(store)
        publisher = publisher_of(url, folder)
        unused = GroupCommitter(
            store, PlainSealer(), PlainReceipts(), clock=ManualClock(NOON), deadline_s=20.0
        )
        await publisher.publish_once(readers, unused, NOON)
        publisher.release()
        readers.close()
    report = verify_files(folder / "log", SIGNER.vkey)
    assert (report.size, report.gaps) == (len(ids), 0)
    return len(ids)


def say(capsys: pytest.CaptureFixture[str], what: str, size: int, promised: int) -> None:
    with capsys.disabled():
        sys.stdout.write(
            f"\n{what}: {size} entries, {promised} acknowledged; lost 0, duplicated 0, gaps 0\n"
        )


async def test_killed_brokers_on_one_server_lose_nothing(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stock(postgres_url)
    rng = np.random.default_rng(SEED)
    promised: set[str] = set()
    with brokers(postgres_url, [tmp_path, tmp_path]) as running:
        for _ in range(KILLS):
            victim = int(rng.integers(BROKERS))
            for child in running:
                assert child.wait(views=int(rng.integers(1, 40)))
            running[victim].kill()
            promised |= set(running[victim].acknowledged)
            assert running[1 - victim].wait(views=10, checkpoints=1)
            running[victim] = begin(postgres_url, tmp_path, victim)
        for child in running:
            assert child.wait(views=10)
            child.kill()
            promised |= set(child.acknowledged)
            assert not child.has_forked
    size = await check(postgres_url, promised, tmp_path)
    assert size > KILLS
    say(capsys, f"{KILLS} kills of brokers", size, len(promised))


@pytest.mark.parametrize("by", [SIGKILL, SIGQUIT], ids=["kill -9", "immediate"])
async def test_a_killed_server_loses_nothing_and_its_brokers_recover_by_themselves(
    tmp_path: Path, by: Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(SEED)
    with own_server() as own, own.server.fresh_database() as url:
        stock(url)
        with brokers(url, [tmp_path, tmp_path]) as running:
            for _ in range(SERVER_KILLS):
                for child in running:
                    assert child.wait(views=int(rng.integers(1, 60)))
                own.kill(by)
                own.start()
                for child in running:
                    assert child.wait(views=10)
            for child in running:
                child.kill()
                assert not child.has_forked
        promised = {one for child in running for one in child.acknowledged}
        size = await check(url, promised, tmp_path)
        assert size > len(promised)
    say(capsys, f"{SERVER_KILLS} ends of PostgreSQL by {by.name}", size, len(promised))


async def test_a_publisher_that_is_stopped_is_replaced_and_does_no_harm_when_it_goes_on(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stock(postgres_url)
    folders = [tmp_path / "one", tmp_path / "two"]
    # The second must not come too late for the first checkpoint: without a mark it would refuse.
    await check(postgres_url, set(), folders[0])
    join(folders[1], folders[0])
    with brokers(postgres_url, folders) as running:
        for child in running:
            assert child.wait(views=5)
        for _ in range(STOPS):
            assert any(child.wait(checkpoints=1, timeout_s=5) for child in running)
            before = [len(child.published) for child in running]
            holder = max(range(BROKERS), key=lambda n: (newest(running[n]), before[n]))
            running[holder].signal(SIGSTOP)
            other = running[1 - holder]
            began = monotonic()
            assert other.wait(checkpoints=1, timeout_s=TAKEN_OVER_S)
            assert monotonic() - began < TAKEN_OVER_S
            assert other.wait(views=10)
            running[holder].signal(SIGCONT)
            assert running[holder].wait(views=10)
        for child in running:
            child.kill()
            assert not child.has_forked
    promised = {one for child in running for one in child.acknowledged}
    sizes = [await check(postgres_url, promised, folder) for folder in folders]
    say(capsys, f"{STOPS} publishers stopped and gone on", sizes[-1], len(promised))


def newest(child: Child) -> int:
    return child.published[-1] if child.published else 0
