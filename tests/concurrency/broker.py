"""A whole broker's log side to be killed and stopped: admits, integrates, publishes, and tells.

What it tells its parent: `a <entry id>` for each view that it acknowledged, `p <size>` for each
checkpoint that it published, `f` when it found a fork.
"""

import asyncio
import contextlib
import os
import signal
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.admission import Admitted, GroupCommitter
from guard.clock import ManualClock, wall_micros
from guard.errors import ForkError, StoreUnavailableError
from guard.ledger.checkpoint import parse_text
from guard.ledger.integrator import Integrator
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.publisher import Publisher
from guard.store import SqlStore
from guard.store.publishing import SqlPublishing
from guard.store.readers import ThreadedReaders
from tests.support.admissions import make_admission
from tests.support.makers import make_budget
from tests.support.sealing import PlainReceipts, PlainSealer

CALLERS = 4
PUBLISH_S = 0.05
# Of a broker whose store is away: it tries again this soon.
PAUSE_S = 0.02
SIGNER = NoteSigner("t", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def publisher_of(url: str, folder: Path) -> Publisher:
    """A publisher of the database at `url` with its files in `folder`."""
    return Publisher(
        SIGNER,
        log_dir=folder / "log",
        high_water=folder / "high-water",
        right=SqlPublishing(url),
    )


def join(folder: Path, first: Path) -> None:
    """Give a broker with files of its own the newest checkpoint, as its operator must."""
    folder.mkdir()
    (folder / "high-water").write_bytes((first / "high-water").read_bytes())


def serve(url: str, folder: Path, number: int, tell: Connection) -> None:
    """Serve the database at `url` until killed."""
    store = SqlStore(url)
    committer = GroupCommitter(
        store, PlainSealer(), PlainReceipts(), clock=ManualClock(wall_micros()), deadline_s=20.0
    )
    integrator = Integrator(store)
    committer.on_commit = integrator.wake
    integrator.start()
    committer.start()
    asyncio.run(_run(committer, ThreadedReaders(store, deadline_s=20.0), url, folder, number, tell))


async def _run(
    committer: GroupCommitter,
    readers: ThreadedReaders,
    url: str,
    folder: Path,
    number: int,
    tell: Connection,
) -> None:
    publishing = _publish(publisher_of(url, folder), committer, readers, tell)
    await asyncio.gather(publishing, *(_call(committer, number, n, tell) for n in range(CALLERS)))


async def _call(committer: GroupCommitter, number: int, n: int, tell: Connection) -> None:
    asked = make_admission(f"c{number}-{n}", [make_budget(limit=10**9)], agent=f"a{number}")
    while True:
        try:
            answer = await committer.admit(asked)
        except StoreUnavailableError:
            await asyncio.sleep(PAUSE_S)
            continue
        if isinstance(answer, Admitted):
            tell.send_bytes(f"a {answer.receipt.entry_id}".encode())


async def _publish(
    publisher: Publisher, committer: GroupCommitter, readers: ThreadedReaders, tell: Connection
) -> None:
    while True:
        try:
            note = await publisher.publish_once(readers, committer, wall_micros())
        except StoreUnavailableError:
            note = None
        except ForkError:
            tell.send_bytes(b"f")
            raise
        if note is not None:
            tell.send_bytes(f"p {parse_text(parse_note(note).text).size}".encode())
        await asyncio.sleep(PUBLISH_S)


@dataclass(slots=True)
class Child:
    """A broker's process, and what it told so far."""

    process: Any
    pipe: Connection
    acknowledged: list[str] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    has_forked: bool = False
    has_ended: bool = False
    _told: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def listen(self) -> None:
        """Take in what it tells, on a thread."""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):  # the end, or the middle of a message
            while True:
                what, _, value = self.pipe.recv_bytes().decode().partition(" ")
                with self._told:
                    if what == "a":
                        self.acknowledged.append(value)
                    elif what == "p":
                        self.published.append(int(value))
                    else:
                        self.has_forked = True
                    self._told.notify_all()
        with self._told:
            self.has_ended = True
            self._told.notify_all()

    def wait(self, *, views: int = 0, checkpoints: int = 0, timeout_s: float = 60.0) -> bool:
        """Wait until it has told so many more; False if it did not in time, or has ended."""
        views += len(self.acknowledged)
        checkpoints += len(self.published)

        def is_there() -> bool:
            return len(self.acknowledged) >= views and len(self.published) >= checkpoints

        with self._told:
            self._told.wait_for(lambda: is_there() or self.has_ended, timeout_s)
            return is_there()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """Kill -9, and hear the last of what it told."""
        self.process.kill()
        self.process.join()
        assert self._thread is not None
        self._thread.join()
        self.pipe.close()
