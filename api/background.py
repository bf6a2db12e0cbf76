"""What runs beside the requests: publishing the log, and applying what the worker found."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from guard.admission import GroupCommitter
from guard.alerts import Alerts
from guard.clock import Clock
from guard.errors import ForkError
from guard.ledger.publisher import Publisher
from guard.ports import Outbox, Readers

log = structlog.get_logger(__name__)

# From a finding to its alert: the worker's own poll and this one together stay far below a second.
OUTBOX_INTERVAL_S = 0.1
OUTBOX_BATCH = 100


async def publish_forever(
    publisher: Publisher,
    readers: Readers,
    committer: GroupCommitter,
    clock: Clock,
    interval_s: float,
) -> None:
    """Sign and publish a checkpoint every `interval_s`, until cancelled.

    A fork ends it, and stops the writer: whoever altered the history must be found before anything
    more is admitted on top of it.
    """

    async def once() -> None:
        await publisher.publish_once(readers, committer, clock.now())

    try:
        await _forever(once, interval_s, "checkpoint")
    except ForkError:
        log.critical("ledger.forked")
        committer.refuse_all()
        raise


async def apply_forever(outbox: Outbox, readers: Readers, alerts: Alerts) -> None:
    """Apply what the worker's outbox holds, until cancelled."""

    async def once() -> None:
        position = await readers.read(lambda view: view.outbox_position(outbox.worker))
        items = await asyncio.to_thread(outbox.after, position, OUTBOX_BATCH)
        if items:
            log.info("findings.applied", count=await alerts.apply(outbox.worker, items))

    await _forever(once, OUTBOX_INTERVAL_S, "findings")


async def _forever(once: Callable[[], Awaitable[None]], interval_s: float, name: str) -> None:
    while True:
        try:
            await once()
        except ForkError:
            raise
        except Exception as error:  # noqa: BLE001 - not swallowed: logged, and tried again
            # An outage of the store, of a key or of a disk passes; the next turn tries again.
            log.warning("background.failed", name=name, error=type(error).__name__)
        await asyncio.sleep(interval_s)
