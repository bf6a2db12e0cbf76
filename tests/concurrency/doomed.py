"""A broker that kills itself at a named point of its work, in the middle of what happens there.

It admits, integrates and publishes once; then it is armed, and does the same again, until it meets
its point and dies as by `kill -9`. What it tells before: `a <entry id>` for each view that it
acknowledged, `s <size> <root>` for each checkpoint that it signed, whether or not anybody ever saw
it, and `e` if it came to its end, which means that the point was never met.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from guard.admission import Admitted, GroupCommitter
from guard.clock import ManualClock, wall_micros
from guard.ledger import high_water, publisher
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.integrator import Integrator
from guard.ledger.note import NoteSigner
from guard.ledger.publisher import Publisher
from guard.ledger.tiles import TileFolder
from guard.store import SqlStore, pending
from guard.store.entries import EntryWrites
from guard.store.pending import PendingWrites
from guard.store.publishing import SqlPublishing
from guard.store.readers import ThreadedReaders
from tests.concurrency.broker import SIGNER
from tests.support.admissions import make_admission
from tests.support.makers import make_budget
from tests.support.sealing import PlainReceipts, PlainSealer

CALLERS = 8
DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Point:
    """A function, and whether to die before it or after it."""

    owner: Any
    name: str
    is_after: bool = True

    def arm(self) -> None:
        """From now on, whoever calls the function dies."""
        inner: Callable[..., Any] = getattr(self.owner, self.name)

        def armed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
            if self.is_after:
                inner(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(self.owner, self.name, armed)


# In the order in which a broker comes by.
COMMITTING = {
    "entries are written, not committed": Point(PendingWrites, "append"),
    "entries are durable, not answered": Point(GroupCommitter, "_settle", is_after=False),
}
PLACING = {
    "leaves are in the tree, details not": Point(EntryWrites, "_add_leaves"),
    "details are written, not committed": Point(EntryWrites, "_add_details"),
}
# Only where entries wait for an integrator.
INTEGRATING = {
    "pending rows are taken, not placed": Point(pending, "_in_order"),
    "pending rows are placed, not committed": Point(PendingWrites, "integrate"),
    "pending rows are placed": Point(SqlStore, "integrate"),
}
PUBLISHING = {
    "entries are hashed": Point(publisher, "_hashed"),
    "a tile has no name yet": Point(Path, "replace", is_after=False),
    "tiles are written": Point(TileFolder, "write"),
    "nothing is signed": Point(publisher, "sign_checkpoint", is_after=False),
    "it is signed, the mark not moved": Point(high_water, "replace_file", is_after=False),
    "the mark is moved": Point(high_water, "replace_file"),
    "the note is not stored": Point(Publisher, "_store", is_after=False),
    "the note is written, not committed": Point(EntryWrites, "put_checkpoint"),
    "the note is stored": Point(Publisher, "_publish", is_after=False),
    "the note is not published": Point(TileFolder, "publish", is_after=False),
    "the note is published": Point(TileFolder, "publish"),
}
EVERYWHERE = COMMITTING | PLACING | PUBLISHING
POINTS = EVERYWHERE | INTEGRATING


def publisher_in(url: str, folder: Path) -> Publisher:
    """A publisher with its files in `folder`; only on PostgreSQL it has others beside it."""
    return Publisher(
        SIGNER,
        log_dir=folder / "log",
        high_water=folder / "high-water",
        right=SqlPublishing(url) if url.startswith("postgresql") else None,
    )


def serve(url: str, folder: Path, point: str, views: int, tell: Connection) -> None:
    """Work on the database at `url` until `point` is met."""

    def told(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
        note = sign_checkpoint(checkpoint, signer)
        tell.send_bytes(f"s {checkpoint.size} {checkpoint.root.hex()}".encode())
        return note

    publisher.sign_checkpoint = told  # type: ignore[attr-defined] # the module's own import of it
    store = SqlStore(url)
    committer = GroupCommitter(
        store,
        PlainSealer(),
        PlainReceipts(),
        clock=ManualClock(wall_micros()),
        deadline_s=DEADLINE_S,
    )
    committer.start()
    asyncio.run(_work(store, committer, publisher_in(url, folder), POINTS[point], views, tell))
    tell.send_bytes(b"e")


async def _work(
    store: SqlStore,
    committer: GroupCommitter,
    one: Publisher,
    point: Point,
    views: int,
    tell: Connection,
) -> None:
    readers = ThreadedReaders(store, deadline_s=DEADLINE_S)
    for is_armed in (False, True):
        if is_armed:
            point.arm()
        await asyncio.gather(*(_call(committer, n, views, tell) for n in range(CALLERS)))
        await asyncio.to_thread(Integrator(store).catch_up)
        await one.publish_once(readers, committer, wall_micros())


async def _call(committer: GroupCommitter, n: int, views: int, tell: Connection) -> None:
    asked = make_admission(f"c{n}", [make_budget(limit=10**9)])
    for _ in range(views):
        answer = await committer.admit(asked)
        assert isinstance(answer, Admitted)
        tell.send_bytes(f"a {answer.receipt.entry_id}".encode())
