"""Writing the store: one transaction at a time, on one thread, each change with its entry."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from guard.clock import Micros, Rate
from guard.entries import NewEntry, Receipt, SealedEntry
from guard.ports.reading import ReadView
from guard.rows import (
    ActivationRow,
    AlertRow,
    ApiKeyRow,
    AssignmentRow,
    BudgetState,
    CaseRow,
    DisputeRow,
    ErasureRow,
    ExportChunkRow,
    ExportJobRow,
    Gap,
    GrantRow,
    HoldBackRow,
    HoldRow,
    IdentifierRow,
    Integrated,
    LockedPrincipal,
    ModeRow,
    OutboxItem,
    PresenceCodeRow,
    PrincipalRow,
    RelationRow,
    ResponseRow,
    SessionRow,
    SinkRow,
    SubjectRow,
    TieRow,
    WebhookDeliveryRow,
    WorkListRow,
)

T = TypeVar("T")


class UnitOfWork(ReadView, Protocol):
    """*Protocol* of the one open transaction; its owner commits by leaving it without an error."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo what the block wrote if it raises, and only that."""
        ...

    def lock_principals(
        self, keys: Collection[str], at: Micros | None = None
    ) -> dict[str, LockedPrincipal]:
        """Lock budget keys in key order, creating rows that are missing.

        `risk` is the hardest rung in force at `at` (None: of any response, ended or not).
        """
        ...

    def lock_budgets(
        self,
        keys: Collection[str],
        pairs: Collection[tuple[str, str]],
        now: Micros,
        since: Micros | None = None,
    ) -> BudgetState:
        """Load counters, marks for the (key, ref) `pairs`, newly expired marks and live slots.

        `now` is the latest time at which anything will be charged to the state, `since` the
        earliest at which something charged may be taken back (None: `now`).
        """
        ...

    def save_budgets(self, state: BudgetState) -> None:
        """Write back a state from `lock_budgets`."""
        ...

    def lock_subjects(self, refs: Collection[str]) -> dict[str, SubjectRow]:
        """Lock subject rows in reference order, for their `next_n`."""
        ...

    def advance_subjects(self, next_n: Mapping[str, int]) -> None:
        """Store each subject's next number."""
        ...

    def next_index(self) -> int | None:
        """The index that the next entry gets; None where the integrator gives it afterwards."""
        ...

    def append(self, entries: Sequence[SealedEntry]) -> None:
        """Make the entries durable with this transaction.

        Where `next_index` says so they are in the tree at once, or else they are pending.
        """
        ...

    def settle(self) -> None:
        """Place what is pending in the tree, for work that is about to read the log.

        Raises:
            ForkError: A pending entry was changed, or is in the tree already.
        """
        ...

    def take_gaps(self, limit: int) -> list[Gap]:
        """Gaps that no entry tells yet, which the caller tells in this transaction."""
        ...

    def serialise(self) -> None:
        """Let no other transaction that asks for this begin until this one ends."""
        ...

    def has_written(self, writer: bytes, writer_seq: int) -> bool:
        """Whether a writer's entry has landed, pending or in the tree."""
        ...

    def put_facts(self, facts: Mapping[str, Mapping[str, str | bool]]) -> None:
        """Keep facts by id; known ids are left alone."""
        ...

    def put_bundle(self, digest: str, files: Mapping[str, bytes]) -> None:
        """Keep a bundle by digest."""
        ...

    def put_principal(self, row: PrincipalRow) -> None:
        """Insert or replace somebody in the directory."""
        ...

    def add_subjects(self, rows: Sequence[SubjectRow]) -> None:
        """Insert customers."""
        ...

    def protect_subject(self, row: SubjectRow) -> None:
        """Store region, tier and decoy mark of a known customer; nothing else of the row."""
        ...

    def put_identifiers(
        self, tenant: str, ref: str, kinds: Collection[str], rows: Sequence[IdentifierRow]
    ) -> None:
        """Let `rows` be all that the index holds of a customer in these `kinds`."""
        ...

    def put_case(self, row: CaseRow) -> None:
        """Insert or replace a case."""
        ...

    def put_assignment(self, row: AssignmentRow) -> None:
        """Insert an assignment, or replace the one with the same case, agent and start."""
        ...

    def put_work_list(self, row: WorkListRow, refs: Collection[str] | None) -> None:
        """Insert or replace a work list; `refs` sets its members (None: leave them)."""
        ...

    def put_relations(self, rows: Sequence[RelationRow]) -> None:
        """Insert or replace relations, as they are given: the caller gives both directions."""
        ...

    def drop_relations(self, rows: Sequence[RelationRow]) -> None:
        """Remove relations."""
        ...

    def put_tie(self, row: TieRow) -> None:
        """Insert or replace a tie; `Tie.NONE` removes it."""
        ...

    def put_webhook_delivery(self, row: WebhookDeliveryRow, keep_since: Micros) -> None:
        """Keep a delivery, and forget those that were signed before `keep_since`."""
        ...

    def put_late_link(self, tenant: str, index: int, link: str) -> None:
        """Keep the repaired grade of a view."""
        ...

    def add_members(self, tenant: str, list_id: str, refs: Collection[str]) -> None:
        """Add references to a list; those that are on it are left alone."""
        ...

    def put_grant(self, row: GrantRow) -> None:
        """Insert or replace a grant."""
        ...

    def put_presence_code(self, row: PresenceCodeRow) -> None:
        """Insert or replace a one-time code."""
        ...

    def put_hold_back(self, row: HoldBackRow) -> None:
        """Insert or replace a hold-back."""
        ...

    def put_dispute(self, row: DisputeRow) -> None:
        """Keep a dispute; an entry that is disputed already stays as it is."""
        ...

    def put_accounted_writer(self, writer: bytes, at: Micros) -> None:
        """Take note that the reads of a writer without a last entry were accounted for."""
        ...

    def put_mode(self, row: ModeRow) -> None:
        """Insert or replace a mode rule or proposal."""
        ...

    def put_activation(self, row: ActivationRow) -> None:
        """Insert or replace an activation; the one in force is retired before the next."""
        ...

    def put_alert(self, row: AlertRow) -> None:
        """Insert or replace an alert."""
        ...

    def put_response(self, row: ResponseRow) -> None:
        """Insert or replace a response, and recompute its key's risk and suspension from all."""
        ...

    def put_api_key(self, row: ApiKeyRow) -> None:
        """Insert or replace a tool's key."""
        ...

    def put_session(self, row: SessionRow) -> None:
        """Insert or replace a console session."""
        ...

    def drop_session(self, digest: bytes) -> None:
        """Remove a console session."""
        ...

    def put_checkpoint(self, size: int, root: bytes, note: bytes, at: Micros) -> None:
        """Keep a signed checkpoint; the note of one kept before is replaced, its root is not."""
        ...

    def put_export(self, job: ExportJobRow, chunk: ExportChunkRow) -> None:
        """Keep how much of a file has left, with the chunk that leaves next."""
        ...

    def drop_exports(self, before: Micros, limit: int) -> None:
        """Forget at most so many files that were asked for before then."""
        ...

    def put_sink(self, row: SinkRow) -> None:
        """Insert or replace where a live push stands."""
        ...

    def put_clock_rate(self, rate: Rate) -> None:
        """Keep the domain clock."""
        ...

    def put_idempotent(
        self, tenant: str, principal_id: str, key: str, reply: tuple[bytes, int, bytes], at: Micros
    ) -> None:
        """Keep a reply for a repeated request."""
        ...

    def put_outbox_position(self, worker: str, position: int) -> None:
        """Move a worker's applied position."""
        ...

    def put_erasure(self, row: ErasureRow) -> None:
        """Insert or replace an erasure."""
        ...

    def forget_subject(self, tenant: str, ref: str, blind: bytes) -> None:
        """Take away the customer's keys and what leads to it: index, cases, codes, ties, relations.

        The row and its reference stay, as the log names it; `blind` takes the place of the blind
        index of its source key.
        """
        ...

    def rewrap_subjects(self, rows: Sequence[SubjectRow]) -> None:
        """Store bucket and wrapped key of these customers, but for those erased meanwhile."""
        ...

    def cut_parts_about(self, ref: str, limit: int) -> int:
        """Cut some of a customer's parts down to their hashes; returns how many."""
        ...

    def cut_details(self, indexes: Collection[int]) -> None:
        """Cut all parts of these entries down to their hashes and clear what names people."""
        ...

    def reseal_events(self, parts: Sequence[tuple[int, str, bytes]]) -> None:
        """Store event parts that were sealed anew: (index, epoch, hash and sealed bytes)."""
        ...

    def put_hold(self, row: HoldRow) -> None:
        """Insert or replace a legal hold."""
        ...


class Store(Protocol):
    """*Protocol* of the store: one writer at a time, any number of readers, from any thread."""

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open the writer; commit durably on a clean exit, roll back on an error.

        Raises:
            StoreUnavailableError: The store cannot be reached, locked or written.
        """
        ...

    def read(self) -> AbstractContextManager[ReadView]:
        """Open a snapshot.

        Raises:
            StoreUnavailableError: The store cannot be reached or read.
        """
        ...

    def check(self) -> None:
        """Raise StoreUnavailableError unless a write would work right now."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class PendingEntries(Protocol):
    """*Protocol* of what is durable and not in the tree yet."""

    def integrate(self, limit: int) -> Integrated:
        """Give at most `limit` pending entries their places in the tree and move the head.

        In a transaction of its own, beside the writer's. Where somebody else integrates already,
        nothing is done.

        Raises:
            StoreUnavailableError: The store cannot be reached or written.
            ForkError: A pending entry was changed, or is in the tree already.
        """
        ...


class PublishingRight(Protocol):
    """*Protocol* of the right to publish the log, which one broker of a store holds at a time."""

    def hold(self) -> bool:
        """Take the right, or find that it is still held; False while another broker has it.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        ...

    def confirm(self) -> None:
        """Raise StoreUnavailableError unless the right is still held."""
        ...

    def put_checkpoint(self, size: int, root: bytes, note: bytes, at: Micros) -> None:
        """Keep a signed checkpoint, in a transaction in which the right is held.

        Raises:
            StoreUnavailableError: The right is another's by now, or the store does not answer.
            ForkError: Another checkpoint of this size is signed.
        """
        ...

    def release(self) -> None:
        """Let another broker take it."""
        ...


class Transaction(Protocol):
    """*Protocol* of a unit of work that can also write entries."""

    rows: UnitOfWork

    def record(self, entry: NewEntry) -> Receipt:
        """Append an entry in this transaction."""
        ...


class Committer(Protocol):
    """*Protocol* of the one writer: runs work on its thread, in a transaction that others share."""

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; when this returns, what it wrote is durable.

        An exception out of `work` undoes `work` alone and is raised here.

        Raises:
            StoreUnavailableError: It could not be made durable before the deadline.
        """
        ...


class Outbox(Protocol):
    """*Protocol* of the reading side of the worker's outbox."""

    worker: str

    def after(self, position: int, limit: int) -> list[OutboxItem]:
        """Items with a greater position, in order."""
        ...
