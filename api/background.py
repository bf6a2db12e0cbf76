"""What runs beside the requests: publishing the log, applying findings, following policies."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from api.metrics import Metrics
from api.outsiders import Outsiders
from guard.activations import Activations
from guard.admission import GroupCommitter
from guard.after_reviews import AfterReviews
from guard.alerts import Alerts
from guard.clock import SECOND, Clock, Micros, monotonic
from guard.errors import ConfigurationError, DurabilityError, ForkError
from guard.forgetting import Retention, Shredding
from guard.ledger.anchors import Anchors
from guard.ledger.backlog import Backlog, Lag
from guard.ledger.integrator import Integrator, tell_gaps
from guard.ledger.publisher import Publisher
from guard.ports import Outbox, Readers
from guard.reconciliation import Reconciliation
from guard.source_reads import ReadCounter

log = structlog.get_logger(__name__)

# The right to publish is lost after three seconds of silence.
KEEP_S = 1.0
PLACING_INTERVAL_S = 1.0
# From a finding to its alert: the worker's own poll and this one together stay far below a second.
OUTBOX_INTERVAL_S = 0.1
OUTBOX_BATCH = 100
# A policy that another process activates decides here within this and the time of one read.
POLICY_INTERVAL_S = 0.25
# Whether an anchor is due is a look at a clock and a file.
ANCHOR_INTERVAL_S = 1.0
WATCH_INTERVAL_S = 1.0
# Reviews are due within days.
REVIEWS_INTERVAL_S = 30.0
# Between two counts of source reads, however many are made.
COUNT_PAUSE_S = 0.02
# Nothing of an erased customer is shown from its approval on; what is left is to destroy the keys.
ERASURES_INTERVAL_S = 1.0
# Details live for months.
RETENTION_INTERVAL_S = 3600.0

TOO_FAR = "too many entries wait for their place in the log, try again"


async def publish_forever(
    publisher: Publisher,
    readers: Readers,
    committer: GroupCommitter,
    clock: Clock,
    interval_s: float,
) -> None:
    """Sign and publish a checkpoint every `interval_s`, until cancelled.

    A fork ends it, and stops the writer: whoever altered the history must be found before anything
    more is admitted on top of it. So does a disk that loses what it took. Between rare checkpoints
    the right to publish is kept alive.
    """
    due = monotonic()

    async def once() -> None:
        nonlocal due
        if monotonic() < due:
            await publisher.keep()
            return
        due = monotonic() + interval_s
        await publisher.publish_once(readers, committer, clock.now())

    try:
        await _forever(once, min(interval_s, KEEP_S), "checkpoint")
    except ForkError:
        log.critical("ledger.forked")
        committer.refuse_all()
        raise
    except DurabilityError:
        log.critical("disk.failed")
        committer.refuse_all()
        raise


async def place_forever(
    integrator: Integrator,
    readers: Readers,
    committer: GroupCommitter,
    clock: Clock,
    watched: tuple[Backlog, Metrics],
) -> None:
    """Watch that what is durable gets its place in the tree, and tell what is missing.

    Whatever ends the integrator ends it, and stops the writer, as a fork does. While the tree is
    too far behind, no view is admitted.
    """
    backlog, metrics = watched

    async def once() -> None:
        integrator.check()
        span, is_missing = await readers.read(
            lambda view: (view.pending_span(), view.has_untold_gaps())
        )
        before, lag = backlog.lag, backlog.look(span, monotonic())
        metrics.pending_entries.set(backlog.entries)
        metrics.pending_seconds.set(backlog.age_s)
        committer.hold("backlog", TOO_FAR if lag is Lag.TOO_FAR else "")
        if lag is not before:
            log.warning("ledger.lag", status=lag.value, count=backlog.entries)
        for gap in await committer.run(partial(tell_gaps, clock.now())) if is_missing else ():
            metrics.gaps.inc()
            log.critical(
                "ledger.gap",
                writer=gap.writer.hex(),
                position=gap.first,
                count=gap.before - gap.first,
            )

    try:
        await _forever(once, PLACING_INTERVAL_S, "placing")
    except ForkError:
        log.critical("ledger.forked", name="placing")
        committer.refuse_all()
        raise
    except DurabilityError:
        log.critical("disk.failed")
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


async def follow_forever(activations: Activations, committer: GroupCommitter) -> None:
    """Put in force what other processes activate, until cancelled.

    A policy that cannot be used here ends it, and stops the writer: going on under the one before
    would show what people have decided not to show.
    """
    try:
        await _forever(activations.follow, POLICY_INTERVAL_S, "policies")
    except ConfigurationError:
        # Which one and why is said at the next start, which refuses for the same reason.
        log.critical("policy.unusable")
        committer.refuse_all()
        raise


async def remind_forever(reviews: AfterReviews, metrics: Metrics) -> None:
    """Tell which reviews are overdue, until cancelled."""

    async def once() -> None:
        overdue = await reviews.tell()
        metrics.reviews_overdue.labels("break_glass").set(overdue.break_glass)
        metrics.reviews_overdue.labels("policy_rollback").set(overdue.rollbacks)

    await _forever(once, REVIEWS_INTERVAL_S, "reviews")


async def reconcile_forever(
    reconciliation: Reconciliation, counter: ReadCounter, metrics: Metrics, interval_s: float
) -> None:
    """Count source reads in the log every `interval_s`, and when many were made; until cancelled.

    While nothing can be counted, nothing is read after `guard.source_reads.ALLOWANCE` more.
    """
    is_due = asyncio.Event()
    counter.on_low = is_due.set

    async def once() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(interval_s):
                await is_due.wait()
        is_due.clear()
        await reconciliation.count()
        metrics.reads_unaccounted.set(reconciliation.lost)

    await _forever(once, COUNT_PAUSE_S, "reconciliation")


async def shred_forever(shredding: Shredding) -> None:
    """Finish the erasures that were approved, until cancelled."""

    async def once() -> None:
        done = await shredding.turn()
        if done:
            log.info("erasures.done", count=done)

    await _forever(once, ERASURES_INTERVAL_S, "erasures")


async def expire_forever(retention: Retention) -> None:
    """Cut the details that have run out, until cancelled."""

    async def once() -> None:
        count = await retention.turn()
        if count:
            log.info("details.expired", count=count)

    await _forever(once, RETENTION_INTERVAL_S, "retention")


async def anchor_forever(anchors: Anchors) -> None:
    """Have the published checkpoint time-stamped when that is due, until cancelled."""

    async def once() -> None:
        size = await anchors.turn()
        if size is not None:
            log.info("log.anchored", size=size)

    await _forever(once, ANCHOR_INTERVAL_S, "anchors")


async def watch_forever(
    outsiders: Outsiders, committer: GroupCommitter, metrics: Metrics, wall: Callable[[], Micros]
) -> None:
    """Tell of outages of witnesses and authority, and hold views back where that is set."""
    before = dict.fromkeys(outsiders.outages(), False)

    async def once() -> None:
        now = wall()
        for name, outage in outsiders.outages().items():
            lasts = outage.lasts(now)
            metrics.outage_seconds.labels(name).set(lasts / SECOND)
            if bool(lasts) is not before[name]:
                before[name] = bool(lasts)
                log.warning("outsiders.changed", name=name, outcome="failing" if lasts else "ok")
        committer.hold("outsiders", outsiders.refusal(now))

    await _forever(once, WATCH_INTERVAL_S, "outsiders")


async def _forever(once: Callable[[], Awaitable[None]], interval_s: float, name: str) -> None:
    while True:
        try:
            await once()
        except (ForkError, ConfigurationError, DurabilityError):
            raise
        except Exception as error:  # noqa: BLE001 - not swallowed: logged, and tried again
            # An outage of the store, of a key or of a disk passes; the next turn tries again.
            log.warning("background.failed", name=name, error=type(error).__name__)
        await asyncio.sleep(interval_s)
