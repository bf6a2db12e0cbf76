"""A broker to be killed: admits views for ever, and tells what it acknowledged."""

import asyncio
from multiprocessing.connection import Connection

from guard.admission import Admitted, GroupCommitter
from guard.clock import ManualClock
from guard.store import SqlStore
from tests.support.admissions import PATIENCE_S, make_admission
from tests.support.makers import NOON, make_budget
from tests.support.sealing import PlainReceipts, PlainSealer

CALLERS = 8


async def serve(committer: GroupCommitter, tell: Connection) -> None:
    """Admit without end, from several callers."""

    async def caller(number: int) -> None:
        asked = make_admission(f"c{number}", [make_budget(limit=10**9)])
        while True:
            answer = await committer.admit(asked)
            if isinstance(answer, Admitted):
                tell.send_bytes(f"{answer.receipt.index} {answer.receipt.entry_id}".encode())

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))


def serve_url(url: str, tell: Connection) -> None:
    """Serve the database at `url` until killed."""
    store = SqlStore(url)
    with store.read() as view:
        clock = ManualClock(max(NOON, view.newest_at()))
    committer = GroupCommitter(
        store, PlainSealer(), PlainReceipts(), clock=clock, deadline_s=PATIENCE_S
    )
    committer.start()
    asyncio.run(serve(committer, tell))
