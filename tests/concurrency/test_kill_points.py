"""A broker that dies exactly between two steps, at every step, on both engines; another goes on.

At random a kill seldom falls between the signature and the mark. Here it falls between any two of
committing, placing, hashing, signing, moving the mark, storing and publishing, and each time a
successor must go on from what it finds: nothing that was acknowledged is missing, nothing is there
twice, and no size was ever signed with two roots, also not by a note that nobody saw.
"""

import asyncio
import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from guard.clock import monotonic, wall_micros
from guard.ledger.checkpoint import open_checkpoint
from guard.ledger.verify import verify_files
from guard.ports import Committer, Transaction
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from guard.store.readers import ThreadedReaders
from tests.concurrency.broker import SIGNER, join
from tests.concurrency.doomed import CALLERS, EVERYWHERE, POINTS, publisher_in, serve
from tests.support.log import opened_log
from tests.support.makers import make_subject

pytestmark = pytest.mark.anyio
T = TypeVar("T")
IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
ROUNDS = 3 if IS_FULL else 1
# Of each caller, before it is armed and after. Some turns fill tiles, of 256 entries each.
VIEWS = (20, 50) if IS_FULL else (2, 10)
SEED = 20_261_122
KILLED = -9
# Of a server to notice that who held the right is dead.
NOTICED_S = 30.0
PAUSE_S = 0.01

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.concurrency.doomed"])


@dataclass(slots=True)
class Told:
    """What all that died had told."""

    acknowledged: list[str] = field(default_factory=list)
    signed: dict[int, str] = field(default_factory=dict)
    signatures: int = 0
    kills: int = 0

    def sign(self, size: int, root: str) -> None:
        """Take in a signature: one of the same size must be of the same tree."""
        self.signatures += 1
        assert self.signed.setdefault(size, root) == root, f"two trees of {size} were signed"


class Direct:
    """A committer without a writer of its own: the successor adds nothing to what it finds."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def run(self, work: Callable[[Transaction], T]) -> T:
        with self._store.begin() as rows:
            return work(cast("Transaction", SimpleNamespace(rows=rows)))


def die(url: str, folder: Path, point: str, views: int, told: Told) -> None:
    """Let a broker work until it meets `point`."""
    ours, theirs = FORKS.Pipe(duplex=False)
    broker: Any = FORKS.Process(target=serve, args=(url, folder, point, views, theirs))
    broker.start()
    theirs.close()
    with contextlib.suppress(EOFError, OSError):  # the end, or the middle of a message
        while True:
            what, *values = ours.recv_bytes().decode().split()
            assert what != "e", f"nobody ever came by: {point}"
            if what == "a":
                told.acknowledged.append(values[0])
            else:
                told.sign(int(values[0]), values[1])
    broker.join()
    assert broker.exitcode == KILLED
    ours.close()
    told.kills += 1


async def succeed(url: str, folders: list[Path], told: Told) -> int:
    """Go on from what is there, one after another, and hold it against what was told."""
    with SqlStore(url) as store:
        ids = [entry.entry_id for entry in opened_log(store)]
        assert len(ids) == len(set(ids))
        assert len(told.acknowledged) == len(set(told.acknowledged))
        assert set(told.acknowledged) <= set(ids)
        readers = ThreadedReaders(store, deadline_s=NOTICED_S)
        for folder in folders:
            one = publisher_in(url, folder)
            published, began = -1, monotonic()
            while published < len(ids):
                note = await one.publish_once(
                    readers, cast("Committer", Direct(store)), wall_micros()
                )
                if note is None:
                    assert monotonic() - began < NOTICED_S
                    await asyncio.sleep(PAUSE_S)
                    continue
                checkpoint = open_checkpoint(note, SIGNER.verifier)
                told.sign(checkpoint.size, checkpoint.root.hex())
                published = checkpoint.size
            one.release()
            report = verify_files(folder / "log", SIGNER.vkey)
            assert (report.size, report.gaps) == (len(ids), 0)
            assert (folder / "high-water").read_bytes() == (folder / "log/checkpoint").read_bytes()
        readers.close()
    return len(ids)


def copied(template: Path, path: Path) -> str:
    path.write_bytes(template.read_bytes())
    return sqlite_url(path)


async def all_points(url: str, folders: list[Path], points: list[str]) -> tuple[Told, int]:
    with SqlStore(url) as store, store.begin() as rows:
        rows.add_subjects([make_subject(f"c{n}") for n in range(CALLERS)])
    rng = np.random.default_rng(SEED)
    told = Told()
    size = await succeed(url, folders[:1], told)
    for folder in folders[1:]:
        join(folder, folders[0])
    for point in points * ROUNDS:
        die(url, folders[-1], point, int(rng.integers(*VIEWS)), told)
        before, size = size, await succeed(url, folders, told)
        assert size > before
    return told, size


def say(capsys: pytest.CaptureFixture[str], engine: str, told: Told, size: int) -> None:
    with capsys.disabled():
        sys.stdout.write(
            f"\n{engine}: {told.kills} kills at {told.kills // ROUNDS} points, {size} entries,"
            f" {len(told.acknowledged)} acknowledged, {told.signatures} signatures of"
            f" {len(told.signed)} sizes; lost 0, duplicated 0, gaps 0, two roots of a size 0\n"
        )


async def test_whoever_dies_between_two_steps_is_succeeded_on_sqlite(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = copied(sqlite_template, tmp_path / "ledger.db")
    told, size = await all_points(url, [tmp_path / "own"], list(EVERYWHERE))
    assert told.kills == len(EVERYWHERE) * ROUNDS
    say(capsys, "SQLite", told, size)


@pytest.mark.postgres
async def test_whoever_dies_between_two_steps_is_succeeded_on_postgresql(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A broker with files of its own takes over first, then one with those of the dead.
    folders = [tmp_path / "other", tmp_path / "own"]
    told, size = await all_points(postgres_url, folders, list(POINTS))
    assert told.kills == len(POINTS) * ROUNDS
    say(capsys, "PostgreSQL", told, size)
