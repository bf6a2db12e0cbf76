"""The one writer's thread: a queue, a batch, a commit, the answers.

The thread takes whatever is waiting and commits it in one transaction; no timer, so a lone request
waits for nobody and many share one flush to disk.
"""

import asyncio
import contextlib
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from guard.admission.batch import Batch, Decided, Landed, admit
from guard.admission.requests import Admission, Answer, ReceiptSigner, Sealer
from guard.clock import Clock
from guard.entries import SYSTEM, BodyValue, EntryKind, EventPart, NewEntry
from guard.errors import (
    CollisionError,
    DurabilityError,
    GuardError,
    StoreUnavailableError,
    TransactionLostError,
)
from guard.ports import Store, Transaction

T = TypeVar("T")

# Requests in one transaction: beyond this the flush is a small part of the cost per request.
BATCH = 256

# Waiting requests; more could not be served before an ordinary deadline.
WAITING = 2048

# Pause before a failed commit is looked up or done again.
RETRY_S = 0.05

_STOPPED = "the writer is stopped, start the service again"


class _Ticket:
    """A request in the queue, and the race between its answer and its deadline."""

    def __init__(self, payload: "Admission | Callable[[Transaction], Any]") -> None:
        self.payload = payload
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.value: Any = None
        self.error: BaseException | None = None
        self.landed: Landed | None = None
        self.is_settled = False
        self.is_abandoned = False

    def deliver(self) -> None:
        """On the loop: wake the caller, if it still waits."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)

    def result(self) -> Any:  # noqa: ANN401 - whatever the caller's work returns
        """The settled outcome, for a caller whose deadline fell between settling and waking."""
        if self.error is not None:
            raise self.error
        return self.value


class GroupCommitter:
    """`ports.Committer`, and the admission of views."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        receipts: ReceiptSigner,
        *,
        clock: Clock,
        deadline_s: float,
        waiting: int = WAITING,
    ) -> None:
        """Write to `store` as the writer of `sealer`, with at most `waiting` requests in line.

        `on_commit` and `last_words` may be set before the start: the one is called when entries
        have become durable, the other gives what the writer's last entry says beside its name.
        """
        self._store, self._sealer, self._receipts = store, sealer, receipts
        self._clock, self._deadline_s = clock, deadline_s
        self._queue: queue.Queue[_Ticket | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._settling = threading.Lock()
        self._refunds: deque[Landed] = deque()
        self._seq, self._at = 0, 0
        self._has_opened, self._give_up = threading.Event(), threading.Event()
        self._start_error: BaseException | None = None
        self._refuses = False
        self._holds: dict[str, str] = {}
        self._is_open = False
        self.on_commit: Callable[[], None] = _nothing
        self.last_words: Callable[[], Mapping[str, BodyValue]] = dict

    def start(self) -> None:
        """Register this writer in the log, and begin to serve.

        Raises:
            StoreUnavailableError: The registration did not become durable before the deadline.
        """
        self._thread.start()
        if not self._has_opened.wait(self._deadline_s):
            self._give_up.set()
            raise StoreUnavailableError("the writer's first entry did not become durable in time")
        if self._start_error is not None:
            raise self._start_error
        self._is_open = True

    def close(self) -> None:
        """Finish what is waiting, write the writer's last entry, stop."""
        if not self._is_open:
            return
        self._is_open = False
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=self._deadline_s)
        self._thread.join(self._deadline_s)
        self._give_up.set()

    @property
    def is_alive(self) -> bool:
        """Whether requests are served: started, not stopped, and its thread has not died."""
        return self._is_open and not self._refuses and self._thread.is_alive()

    def refuse_all(self) -> None:
        """Serve nothing more: the log must not be continued until somebody has looked at it."""
        self._refuses = True

    def hold(self, by: str, why: str) -> None:
        """Admit no view for a reason of `by`, until it gives an empty one.

        Each holds for itself: what one releases, another may still hold. The service's own work
        goes on.
        """
        if why:
            self._holds[by] = why
        else:
            self._holds.pop(by, None)

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """See `Committer.run`."""
        answer: T = await self._submit(_Ticket(work))
        return answer

    async def admit(self, admission: Admission) -> Answer:
        """Admit one view, or say why not; when this returns, its entry is durable.

        Raises:
            StoreUnavailableError: It could not be made durable before the deadline; whatever was
                charged will be given back. Or somebody holds views back.
        """
        if self._holds:
            raise StoreUnavailableError(next(iter(self._holds.values())))
        answer: Answer = await self._submit(_Ticket(admission))
        return answer

    async def _submit(self, ticket: _Ticket) -> Any:  # noqa: ANN401 - typed by `run` and `admit`
        if not self.is_alive:
            raise StoreUnavailableError(_STOPPED)
        try:
            self._queue.put_nowait(ticket)
        except queue.Full:
            raise StoreUnavailableError("too many requests are waiting, try again") from None
        try:
            async with asyncio.timeout(self._deadline_s):
                return await ticket.future
        except TimeoutError:
            if self._abandon(ticket):
                raise StoreUnavailableError(
                    "the entry did not become durable before the deadline, try again"
                ) from None
            return ticket.result()
        except asyncio.CancelledError:
            self._abandon(ticket)
            raise

    def _abandon(self, ticket: _Ticket) -> bool:
        """Give up a ticket unless it was settled just before."""
        with self._settling:
            ticket.is_abandoned = not ticket.is_settled
            return ticket.is_abandoned

    # On the writer's thread.

    def _serve(self) -> None:
        try:
            self._commit([], own=self._own_entry(EntryKind.WRITER_OPEN))
        except Exception as error:  # noqa: BLE001 - not swallowed: `start` raises it
            self._start_error = error
            self._has_opened.set()
            return
        self._has_opened.set()
        is_open = True
        while is_open and not self._give_up.is_set():
            tickets, is_open = self._take()
            for part in _apart(tickets):
                self._try(part)
        if self._refuses or self._give_up.is_set():
            return
        with contextlib.suppress(GuardError):  # a missing last entry shows as a crash, as it should
            self._commit([], own=self._own_entry(EntryKind.WRITER_CLOSE, self.last_words()))

    def _try(self, tickets: Sequence[_Ticket]) -> None:
        if self._refuses:
            # They had waited while it came out that nothing may be written any more.
            self._fail(tickets, StoreUnavailableError(_STOPPED))
            return
        try:
            self._commit(tickets)
        except Exception as error:  # noqa: BLE001 - not swallowed: every caller raises it
            # After such an error a second try would only seem to succeed.
            self._refuses |= isinstance(error, DurabilityError)
            self._fail(tickets, error)
            self._give_up.wait(RETRY_S if self._refunds else 0)

    def _take(self) -> tuple[list[_Ticket], bool]:
        """Whatever is waiting, at least one ticket or refund; False: that was the last."""
        tickets: list[_Ticket] = []
        try:
            ticket = self._queue.get(block=not self._refunds)
            while ticket is not None:
                tickets.append(ticket)
                if len(tickets) == BATCH:
                    break
                ticket = self._queue.get_nowait()
        except queue.Empty:
            return tickets, True
        return tickets, ticket is not None

    def _commit(self, tickets: Sequence[_Ticket], own: EventPart | None = None) -> None:
        """Commit one batch, doing it again while its outcome is that nothing landed."""
        while True:
            live = [ticket for ticket in tickets if not ticket.is_abandoned]
            refunds = list(self._refunds)
            if not (live or refunds or own):
                return
            batch = None
            is_filled = False
            try:
                with self._store.begin() as rows:
                    # What is still pending is not in the store's newest time.
                    now = max(self._clock.now(), self._at + 1)
                    batch = Batch(rows, self._sealer, self._receipts, seq=self._seq, now=now)
                    if any(not isinstance(ticket.payload, Admission) for ticket in live):
                        # Work reads before it writes; two brokers must not do so at once.
                        rows.serialise()
                    self._fill(batch, live, refunds, own)
                    is_filled = True
            except GuardError as error:
                batch = self._landed(error, batch if is_filled else None)
            if batch is not None:
                break
        self._seq, self._at = batch.seq, batch.at
        for _ in refunds:
            self._refunds.popleft()
        self._settle(live)
        self.on_commit()

    def _landed(self, error: GuardError, batch: Batch | None) -> Batch | None:
        """A batch that landed although its commit failed; None: nothing of it did, do it again.

        Raises:
            GuardError: `error` itself, where the batch is at fault or no second try is safe.
        """
        if isinstance(error, CollisionError):
            return None
        if isinstance(error, DurabilityError) or batch is None or not batch.entries:
            raise error
        return batch if self._has_landed() else None

    def _has_landed(self) -> bool:
        """Whether the batch whose commit failed is in the log; asks until the store answers."""
        while not self._give_up.wait(RETRY_S):
            try:
                with self._store.begin() as rows:
                    return rows.has_written(self._sealer.writer, self._seq)
            except GuardError:
                continue
        raise StoreUnavailableError("the writer stopped before the store answered again")

    def _fill(
        self,
        batch: Batch,
        tickets: Sequence[_Ticket],
        refunds: Sequence[Landed],
        own: EventPart | None,
    ) -> None:
        admissions: list[tuple[_Ticket, Decided]] = []
        for ticket in tickets:
            ticket.error = ticket.landed = None
            if isinstance(ticket.payload, Admission):
                admissions.append((ticket, Decided(ticket.payload)))
                continue
            # Before the admissions, so that a suspension bites in its own batch.
            try:
                ticket.value = batch.attempt(ticket.payload)
            except TransactionLostError:
                raise  # with it went what the others of this batch had written
            except Exception as error:  # noqa: BLE001 - not swallowed: its caller raises it
                ticket.error = error
        if admissions or refunds:
            admit(batch, [decided for _, decided in admissions], refunds)
        for ticket, decided in admissions:
            ticket.value, ticket.error = decided.answer, decided.error
            ticket.landed = decided.landed
        if own is not None:  # after the refunds, so that a writer's last entry is its last
            kind = EntryKind[own.kind.upper()]
            batch.record(NewEntry(kind=kind, event=msgspec.structs.replace(own, at=batch.tick())))
        batch.flush()

    def _settle(self, tickets: Sequence[_Ticket]) -> None:
        """Wake the callers; what nobody waits for any more is given back."""
        by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Ticket]] = defaultdict(list)
        with self._settling:
            for ticket in tickets:
                if ticket.is_abandoned:
                    if ticket.landed is not None:
                        self._refunds.append(ticket.landed)
                else:
                    ticket.is_settled = True
                    by_loop[ticket.loop].append(ticket)
        for loop, settled in by_loop.items():
            with contextlib.suppress(RuntimeError):  # a closed loop has no callers left
                loop.call_soon_threadsafe(_deliver, settled)

    def _fail(self, tickets: Sequence[_Ticket], error: Exception) -> None:
        for ticket in tickets:
            ticket.error, ticket.landed = error, None
        self._settle(tickets)

    def _own_entry(
        self, kind: EntryKind, words: Mapping[str, BodyValue] | None = None
    ) -> EventPart:
        """The event part of the writer's own first or last entry; its time comes later."""
        return EventPart(
            at=0,
            kind=kind.name.lower(),
            tenant=SYSTEM,
            agent=SYSTEM,
            body={
                "writer": self._sealer.writer.hex(),
                "key": self._receipts.public_key,
                **(words or {}),
            },
        )


def _apart(tickets: Sequence[_Ticket]) -> list[Sequence[_Ticket]]:
    """Work, then admissions, each for a transaction of its own.

    Work comes first, so that a suspension bites the views that waited beside it. It locks rows in
    an order of its own: in one transaction with admissions, two brokers would wait for each other.
    """
    work = [ticket for ticket in tickets if not isinstance(ticket.payload, Admission)]
    admissions = [ticket for ticket in tickets if isinstance(ticket.payload, Admission)]
    return [part for part in (work, admissions) if part] or [tickets]


def _nothing() -> None:
    pass


def _deliver(tickets: Sequence[_Ticket]) -> None:
    for ticket in tickets:
        ticket.deliver()
