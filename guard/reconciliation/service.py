"""The counts that a writer logs of its own reads, and the alarms for reads without an entry.

A number that is younger than any request can last is still under way; an older one that no entry
names is a read without an entry, which is told once. So is what a source has answered beyond what
this broker asked it, where the source keeps a count. A writer that died took its own count with it:
at the next start what it left open is told from the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from guard.alerts import Alerts
from guard.clock import Clock, Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, NewEntry, system_event
from guard.errors import SourceError
from guard.findings import Finding, FindingKind, Severity
from guard.ledger.backlog import caught_up
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.reconciliation.tally import ACCOUNTING, CHUNK, WriterReads, named, reconcile
from guard.source_reads import ALLOWANCE, ReadCounter
from guard.sources.counted import CountedSource

log = structlog.get_logger(__name__)

CHANNEL = "reconciliation"


@dataclass(slots=True)
class _Own:
    """What this writer has found of itself in the log, and told there.

    `first` and `around` are by source: its count before anything was asked of it here, and what it
    has answered to others since. `alarms` are those that no entry tells of yet.
    """

    seq: int = -1
    told: int = 0
    lost: int = 0
    tenants: set[str] = field(default_factory=set)
    first: dict[str, int] = field(default_factory=dict)
    around: dict[str, int] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)


class Reconciliation:
    """Counts this writer's reads in the log; at its start, those of writers that died."""

    def __init__(  # noqa: PLR0913 - the parts of a count, each by name
        self,
        *,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        alerts: Alerts,
        counter: ReadCounter,
        sources: Mapping[str, CountedSource],
        writer: bytes,
        grace_s: float,
    ) -> None:
        """Count for `writer`; a read that is older than `grace_s` must have its entry."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._alerts, self._counter = vault, alerts, counter
        self._sources, self._writer, self._grace_s = sources, writer, grace_s
        self._own = _Own()

    @property
    def lost(self) -> int:
        """Reads of this writer that no entry accounts for."""
        return self._own.lost

    async def count(self) -> None:
        """Log the count, if anything was read since the last one.

        Raises:
            StoreUnavailableError: The log cannot be read or written.
        """
        own, counter = self._own, self._counter
        await self._around()
        if counter.total == own.told and not (counter.open() or own.alarms):
            return
        await self._match()
        late, total = counter.late(self._grace_s), counter.total
        for number in late:
            counter.accounted(number)
        if late:
            own.lost += len(late)
            own.alarms.append(_without_entry(len(late)))
        reasons = tuple(own.alarms)
        body = self._count()
        now = self._clock.now()

        def work(tx: Transaction) -> None:
            event = system_event(SYSTEM, EntryKind.RECONCILIATION, now, body)
            tx.record(NewEntry(kind=EntryKind.RECONCILIATION, event=event))
            for tenant in sorted(own.tenants) if reasons else ():
                finding = _finding(self._writer.hex(), now, reasons, Severity.HIGH)
                self._alerts.notice(tx, tenant, finding)

        await self._committer.run(work)
        own.told, own.alarms = total, own.alarms[len(reasons) :]
        counter.allow(total)
        if reasons:
            log.error("reads.unaccounted", count=own.lost, n=sum(own.around.values()))

    def last_words(self) -> dict[str, BodyValue]:
        """What the writer's last entry says of its reads."""
        counter = self._counter
        still = counter.open()
        return {
            "reads": counter.total,
            "entries": counter.total - len(still) - self._own.lost,
            "lost": self._own.lost,
            "open": still,
            "sources": dict(sorted(counter.by_source.items())),
        }

    def _count(self) -> dict[str, BodyValue]:
        body = self.last_words() | {
            "writer": self._writer.hex(),
            "upto": self._counter.total + ALLOWANCE,
            "seq": self._own.seq,
        }
        return body | ({"around": dict(self._own.around)} if self._own.around else {})

    async def _match(self) -> None:
        """Find the numbers that entries have named since the last time."""
        own = self._own
        # What was durable before this is in the tree after it.
        await caught_up(self._readers)

        def look(view: ReadView) -> tuple[int, int, list[tuple[int, str]]]:
            parts = view.writer_parts(self._writer, ACCOUNTING, own.seq, CHUNK)
            # Opened here, on a reader's thread: the event loop has views to answer.
            last = parts[-1].seq if parts else own.seq
            return len(parts), last, list(named(parts, self._vault))

        is_full = True
        while is_full:
            read, own.seq, found = await self._readers.read(look)
            is_full = read == CHUNK
            for number, tenant in found:
                self._counter.accounted(number)
                own.tenants.add(tenant)

    async def _around(self) -> None:
        """See whether a source has answered what was not asked for here."""
        for name, source in self._sources.items():
            try:
                served = await source.served()
            except SourceError:
                continue  # asked again at the next count
            if served is None:
                continue
            first = self._own.first.setdefault(name, served)
            # The source was asked first: what it has answered is in our number by now.
            beyond = served - first - self._counter.by_source[name]
            more = beyond - self._own.around.get(name, 0)
            if more > 0:
                self._own.around[name] = beyond
                self._own.alarms.append(_read_around(name, more))

    async def look_back(self, *, quiet: Micros | None) -> list[WriterReads]:
        """Account for writers that ended without a last entry; each is told of once.

        To be called before anything is read. `quiet` is for how long a writer must have written
        nothing to be taken for dead; None where this one is the only one.

        Raises:
            StoreUnavailableError: The log cannot be read or written.
        """
        await self._around()
        now = self._clock.now()
        # Nothing waits for the writer yet, and what cannot be placed is told by its own name.
        await self._committer.run(lambda tx: tx.rows.settle())
        dead = await self._readers.read(
            lambda view: self._dead(view, None if quiet is None else now - quiet)
        )

        def work(tx: Transaction) -> None:
            known = tx.rows.accounted_writers()
            for one in dead:
                if bytes.fromhex(one.writer) not in known:
                    self._tell_of(tx, one, now)

        if dead:
            await self._committer.run(work)
        for one in dead:
            log.warning("reads.writer_died", count=one.difference, n=one.bound)
        return dead

    def _dead(self, view: ReadView, silent_since: Micros | None) -> list[WriterReads]:
        known = view.accounted_writers() | {self._writer}
        found = reconcile(view, self._vault, unclosed_but=known)
        if silent_since is None:
            return found
        last = (
            (one, view.last_writer_part(bytes.fromhex(one.writer), tuple(EntryKind)))
            for one in found
        )
        return [one for one, part in last if part is not None and part.at <= silent_since]

    def _tell_of(self, tx: Transaction, one: WriterReads, now: Micros) -> None:
        tx.rows.put_accounted_writer(bytes.fromhex(one.writer), now)
        dead: dict[str, str | int] = {
            "writer": one.writer,
            "reads": one.reads,
            "entries": one.entries,
            "bound": one.bound,
            "since": one.since,
        }
        event = system_event(SYSTEM, EntryKind.RECONCILIATION, now, self._count() | {"dead": dead})
        tx.record(NewEntry(kind=EntryKind.RECONCILIATION, event=event))
        if one.difference > 0:
            reasons = (_of_dead(one), "nothing was shown of what has no entry")
            for tenant in one.tenants:
                self._alerts.notice(tx, tenant, _finding(one.writer, now, reasons, Severity.MEDIUM))


def _of_dead(one: WriterReads) -> str:
    return (
        f"a writer ended without its last entry and {one.difference} of its reads have none;"
        f" {one.in_words} can lack one"
    )


def _without_entry(count: int) -> str:
    return f"{count} reads of sources have no entry: something reads beside the one path"


def _read_around(name: str, count: int) -> str:
    return (
        f"source {name} has answered {count} reads with this broker's credential that this broker"
        " did not ask for"
    )


def _finding(writer: str, now: Micros, reasons: tuple[str, ...], severity: Severity) -> Finding:
    """A notice, no suspicion of anybody: its score is nothing."""
    return Finding(
        key=f"reconciliation:{writer}",
        kind=FindingKind.RECONCILIATION,
        raised_at=now,
        first_event_at=now,
        agent_ids=(),
        score=0.0,
        severity=severity,
        channels=(CHANNEL,),
        reasons=reasons,
        contributions=((CHANNEL, 1.0),),
        evidence=(),
        explained_by=(
            "an entry for each read would explain it; `guard log reconcile` counts them",
        ),
    )
