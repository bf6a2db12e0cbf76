"""Pushing one sink: from its position in the log onward, in index order, at least once.

A turn reads what the log has gained behind the position, hands it over a window at a time, and only
then moves the position. A crash between the two sends a window again, under the ids that it had;
nothing is ever skipped. Index order keeps every agent's entries in order. One process at a time
pushes a sink: it holds a lease, which every move of the position renews and checks.

A sink that is not given customers gets no reference; that it exists is an entry. One that is, gets
each batch behind an `EXPORT` entry that lists them. The broker's own `EXPORT` entries are not
pushed, or each push would cause the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guard.clock import SECOND, Clock, Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, NewEntry, SubjectPart, system_event
from guard.errors import ConflictError, SourceError
from guard.exports import ExportRow, Source
from guard.exports.opening import open_parts_of
from guard.exports.row import named, opened
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.rows import LogQuery, PartQuery, SinkRow, living
from guard.sinks.declaring import DeclaredSink
from guard.sinks.rendering import renderer
from guard.sinks.sink import Event

# Entries in memory for one sink, however far it is behind.
BATCH = 500

# After n failures in a row the next try is 2**n seconds away, and never more than this.
LONGEST_WAIT = 300 * SECOND

# A process that is gone gives a sink free after this; more than twice what a delivery may take, and
# renewed between two of them.
LEASE = 60 * SECOND

_ALL_KINDS = tuple(EntryKind)
_FOR_EVER: Micros = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a turn did: events taken, entries still to be pushed, failures in a row."""

    taken: int
    behind: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What was read: events with their indexes, the end of what was read, who is named, opened."""

    events: tuple[Event, ...]
    indexes: tuple[int, ...]
    reached: int
    size: int
    refs: frozenset[str]
    opened: frozenset[str]


class Pusher:
    """Pushes one sink."""

    def __init__(  # noqa: PLR0913 - the services it stands on, and what it pushes
        self,
        declared: DeclaredSink,
        *,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        source: Source,
        holder: str,
    ) -> None:
        """Push `declared` in the name of the process `holder`."""
        self.declared = declared
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._holder = vault, holder
        self._render = renderer(declared.kind, declared.format, source)
        self._row: SinkRow | None = None

    async def push_once(self) -> Pushed:
        """One turn.

        Raises:
            StoreUnavailableError: The store does not answer.
            ProofError: An entry does not hold; nothing behind it is pushed.
            KeyUnavailableError: A key that should be there is not.
            ConflictError: Somebody was erased meanwhile; the next turn sends what is left.
        """
        row = await self._held()
        if row is None or self._clock.now() < row.next_try:
            return await self._waiting(row)
        batch = await self._readers.read(lambda view: self._read(view, row.position))
        if batch.refs:
            await self._committer.run(lambda tx: self._record(tx, batch))
        taken, failure = await self._deliver(batch)
        is_through = taken == len(batch.events)
        position = batch.reached if is_through else _before(batch, taken, row.position)
        failures = row.failures + 1 if failure else 0
        moved = replace(
            row,
            position=position,
            failures=failures,
            next_try=self._clock.now() + wait_after(failures) if failure else 0,
        )
        if taken or failure or row.failures:
            await self._keep(moved)
        elif self._row is not None:
            # Nothing of it was for this sink: a restart may look at it again.
            self._row = moved
        return Pushed(taken=taken, behind=batch.size - 1 - position, failures=failures)

    async def _waiting(self, row: SinkRow | None) -> Pushed:
        """Nothing is pushed now: another process does, or the sink is left alone for a while."""
        size, _ = await self._readers.read(lambda view: view.head())
        if row is None:
            return Pushed(taken=0, behind=0, failures=0)
        return Pushed(taken=0, behind=size - 1 - row.position, failures=row.failures)

    def _read(self, view: ReadView, position: int) -> _Batch:
        declared = self.declared
        size, _ = view.head()
        query = PartQuery(
            tenant=declared.tenant,
            kinds=declared.kinds or _ALL_KINDS,
            size=size,
            since=0,
            until=_FOR_EVER,
        )
        parts = view.event_parts(query, position, BATCH)
        page = open_parts_of(
            view,
            self._vault,
            parts,
            LogQuery(tenant=declared.tenant),
            customers=declared.customers,
        )
        rows = [
            row
            for row, vendor, region in zip(page.rows, page.vendors, page.regions, strict=True)
            if declared.vendor in {"", vendor}
            and (not declared.region or region in {"", declared.region})
            and not _is_own(row)
        ]
        rendered = [(row, self._render(view, row)) for row in rows]
        told = [(row, body) for row, body in rendered if body is not None]
        return _Batch(
            events=tuple(Event(row.entry_id, body) for row, body in told),
            indexes=tuple(row.index for row, _ in told),
            reached=parts[-1][0] if len(parts) == BATCH else size - 1,
            size=size,
            refs=named(row for row, _ in told),
            opened=opened(row for row, _ in told),
        )

    async def _deliver(self, batch: _Batch) -> tuple[int, bool]:
        """How many events were taken, and whether one was not."""
        sink, taken = self.declared.sink, 0
        while taken < len(batch.events):
            window = batch.events[taken : taken + sink.window]
            try:
                await sink.deliver(window)
            except SourceError:
                return taken, True
            taken += len(window)
            if taken < len(batch.events) and await self._held() is None:
                # Another process has taken the sink over, and goes on from the last position.
                return taken, False
        return taken, False

    async def _held(self) -> SinkRow | None:
        """The sink's row, if this process may push it; makes the row at the first turn."""
        row = self._row
        if row is None or row.held_until < self._clock.now() + LEASE // 2:
            self._row = await self._committer.run(self._claim)
        return self._row

    def _claim(self, tx: Transaction) -> SinkRow | None:
        tx.rows.serialise()
        now, declared = self._clock.now(), self.declared
        row = tx.rows.sink(declared.name)
        if row is not None and row.holder != self._holder and row.held_until > now:
            return None
        if row is None:
            size, _ = tx.rows.head()
            position = -1 if declared.from_start else size - 1
            row = SinkRow(name=declared.name, digest="", position=position)
        if row.digest != declared.digest:
            self._note(tx, {"state": "declared", "digest": declared.digest}, [])
        row = replace(row, digest=declared.digest, holder=self._holder, held_until=now + LEASE)
        tx.rows.put_sink(row)
        return row

    async def _keep(self, row: SinkRow) -> None:
        """Move the position, unless another process has taken the sink over meanwhile."""

        def work(tx: Transaction) -> SinkRow | None:
            tx.rows.serialise()
            known = tx.rows.sink(row.name)
            if known is None or known.holder != self._holder:
                return None
            kept = replace(row, held_until=self._clock.now() + LEASE)
            tx.rows.put_sink(kept)
            return kept

        self._row = await self._committer.run(work)

    def _record(self, tx: Transaction, batch: _Batch) -> None:
        body: dict[str, BodyValue] = {
            "format": self.declared.format,
            "rows": len(batch.events),
            "first": batch.indexes[0],
            "last": batch.indexes[-1],
        }
        can_be_named = living(tx.rows.subjects(batch.refs), batch.refs)
        if not batch.opened.issubset(can_be_named):
            raise ConflictError("somebody was forgotten while a batch was made: it is made again")
        self._note(tx, body, can_be_named)

    def _note(self, tx: Transaction, body: dict[str, BodyValue], refs: Sequence[str]) -> None:
        declared = self.declared
        event = system_event(
            declared.tenant, EntryKind.EXPORT, self._clock.now(), {"sink": declared.name, **body}
        )
        subjects = tuple(SubjectPart(customer=ref) for ref in refs)
        tx.record(NewEntry(kind=EntryKind.EXPORT, event=event, subjects=subjects))


def wait_after(failures: int) -> Micros:
    """How long a sink is left alone after so many failures in a row."""
    return min(SECOND << min(failures, 20), LONGEST_WAIT)


def _before(batch: _Batch, taken: int, position: int) -> int:
    """The position after the first `taken` events."""
    return batch.indexes[taken - 1] if taken else position


def _is_own(row: ExportRow) -> bool:
    return row.kind is EntryKind.EXPORT and row.event.agent == SYSTEM
