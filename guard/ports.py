"""What the guard needs from the rooms above it, stated as protocols.

`guard.store` implements the storage side over SQL, `guard.vault` the keys, `guard.sources` the
records; tests may implement a piece in memory. Nothing in this module does anything.
`api.bootstrap` introduces the implementations.

One writer, many readers: all changes go through `Committer.run`, on one thread; a change and its
ledger entry commit together or not at all. Reads go through `ReadView`, a consistent snapshot.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from guard.clock import Micros, Rate
from guard.entries import NewEntry, Receipt, SealedEntry, StoredEntry
from guard.rows import (
    AlertRow,
    AlertState,
    ApiKeyRow,
    AssignmentRow,
    BudgetState,
    CaseRow,
    Counter,
    GrantKind,
    GrantRow,
    IdentifierRow,
    KnownCase,
    LockedPrincipal,
    LogQuery,
    ModeRow,
    OutboxItem,
    PresenceCodeRow,
    PrincipalRow,
    RawRecord,
    RelationRow,
    ResponseRow,
    SessionRow,
    Situation,
    SituationQuery,
    SubjectRow,
    TieRow,
    UnlinkedView,
    WebhookDeliveryRow,
    WorkListRow,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a contact carries: `text` for a mail or message; a call has none."""

    subject: str = ""
    text: str = ""
    sender: str = ""
    reference: str = ""


class RecordSource(Protocol):
    """*Protocol* of a system that holds customer records."""

    name: str

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """Read the top-level field names in `paths` of one record; None: no such record.

        Raises:
            SourceError: The source failed, timed out or answered in an unknown shape.
        """
        ...

    async def check(self) -> None:
        """Raise SourceError unless the source can be read right now."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class ReadView(Protocol):
    """*Protocol* of a read-only snapshot of the store."""

    def situations(self, queries: Sequence[SituationQuery]) -> list[Situation]:
        """Answer all queries with a constant number of statements, in order."""
        ...

    def principal(self, tenant: str, principal_id: str) -> PrincipalRow | None:
        """Find somebody in the directory."""
        ...

    def principals(self, tenant: str) -> list[PrincipalRow]:
        """List a tenant's directory, by id."""
        ...

    def subject(self, tenant: str, ref: str) -> SubjectRow | None:
        """Find a customer by reference."""
        ...

    def subject_by_blind(self, tenant: str, source: str, key_blind: bytes) -> SubjectRow | None:
        """Find a customer by the blind index of its source key."""
        ...

    def subjects(self, refs: Collection[str]) -> dict[str, SubjectRow]:
        """Find customers by reference, any tenant; unknown references are absent."""
        ...

    def identified(self, tenant: str, kind: str, blind: bytes, most: int) -> list[str]:
        """References of customers with this blind identifier, by reference, at most `most`."""
        ...

    def identifiers_of(self, tenant: str, ref: str) -> list[IdentifierRow]:
        """What the index holds of a customer, by kind."""
        ...

    def subjects_after(
        self, tenant: str, after: str, limit: int, since: Micros | None = None
    ) -> list[SubjectRow]:
        """A keyset page of a tenant's customers, by reference.

        With `since` only those that an entry has named since then, and those without identifiers.
        """
        ...

    def case(self, tenant: str, case_id: str) -> CaseRow | None:
        """Find a case."""
        ...

    def assignments(self, tenant: str, case_id: str) -> list[AssignmentRow]:
        """All assignments of a case, oldest first."""
        ...

    def work_list(self, tenant: str, list_id: str) -> WorkListRow | None:
        """Find a work list."""
        ...

    def related(self, tenant: str, ref: str) -> list[RelationRow]:
        """The customers of the same household or business, by reference."""
        ...

    def tie(self, tenant: str, principal_id: str, ref: str) -> TieRow | None:
        """What binds somebody to a customer in private life, if anything does."""
        ...

    def closed_cases(
        self, tenant: str, team: str, since: Micros, until: Micros, limit: int
    ) -> list[KnownCase]:
        """Cases that were closed in [since, until) after somebody of `team` worked on them.

        Those that were drawn for a quality review before are left out. By id.
        """
        ...

    def webhook_delivery(
        self, tenant: str, source: str, delivery_id: str
    ) -> WebhookDeliveryRow | None:
        """A delivery that was taken in before."""
        ...

    def unlinked_views(
        self, tenant: str, ref: str, agent_id: str, since: Micros, limit: int
    ) -> list[UnlinkedView]:
        """The newest views of a customer by (or through) somebody that nothing strong explained.

        Those that a late link repaired already are left out.
        """
        ...

    def late_links(self, indexes: Collection[int]) -> dict[int, str]:
        """The repaired grade of those of these views that a late link has repaired."""
        ...

    def work_list_members(self, tenant: str, list_id: str) -> Iterator[str]:
        """The references on a list, each once, in constant memory; the order is the engine's."""
        ...

    def known_refs(self, tenant: str, refs: Collection[str]) -> set[str]:
        """Those of `refs` that are customers of the tenant."""
        ...

    def refs_by_blind(
        self, tenant: str, source: str, blinds: Collection[bytes]
    ) -> dict[bytes, str]:
        """References by the blind indexes of source keys; unknown ones are absent."""
        ...

    def grant(self, tenant: str, grant_id: str) -> GrantRow | None:
        """Find a grant."""
        ...

    def grants_of(
        self, tenant: str, kind: GrantKind, agent_id: str, since: Micros
    ) -> list[GrantRow]:
        """An agent's grants that began after `since` or wait for a review, newest first."""
        ...

    def open_grants(self, tenant: str, kind: GrantKind, at: Micros, limit: int) -> list[GrantRow]:
        """Grants that end after `at`, newest first."""
        ...

    def unreviewed_grants(
        self, tenant: str, kind: GrantKind, at: Micros, limit: int
    ) -> list[GrantRow]:
        """Grants that have ended by `at` and that nobody has reviewed, oldest first."""
        ...

    def live_code(self, tenant: str, ref: str, at: Micros) -> PresenceCodeRow | None:
        """The customer's one-time code that is neither used nor expired at `at`."""
        ...

    def modes(self, tenant: str) -> list[ModeRow]:
        """All mode rules and proposals of a tenant, oldest first."""
        ...

    def alert(self, tenant: str, alert_id: str) -> AlertRow | None:
        """Find an alert."""
        ...

    def alerts(
        self, tenant: str, *, states: Collection[AlertState], before: str | None, limit: int
    ) -> list[AlertRow]:
        """A page of alerts, newest id first (ids sort by time); `before` is an alert id."""
        ...

    def unfinished_alert(self, tenant: str, key: str) -> AlertRow | None:
        """The open or acknowledged alert of a matter."""
        ...

    def responses(
        self, tenant: str, *, key: str | None, active_at: Micros | None
    ) -> list[ResponseRow]:
        """Responses, newest first; of one key; only those in force at `active_at`."""
        ...

    def response(self, tenant: str, response_id: str) -> ResponseRow | None:
        """Find a response."""
        ...

    def api_key(self, key_id: str) -> ApiKeyRow | None:
        """Find a tool's key."""
        ...

    def session(self, digest: bytes) -> SessionRow | None:
        """Find a console session."""
        ...

    def counters(self, keys: Collection[str]) -> list[Counter]:
        """The stored counters of these keys, as last saved (see `guard.quotas.peek`)."""
        ...

    def budget_state(
        self, keys: Collection[str], pairs: Collection[tuple[str, str]], now: Micros
    ) -> BudgetState:
        """As `UnitOfWork.lock_budgets`, without locks: for peeking and showing what is left."""
        ...

    def entries(self, start: int, limit: int) -> list[StoredEntry]:
        """Entries `start`.. in index order, at most `limit`."""
        ...

    def search(self, query: LogQuery) -> list[StoredEntry]:
        """A keyset page of the log; never counts."""
        ...

    def leaf_hashes(self, start: int, end: int) -> Iterator[bytes]:
        """Leaf hashes of entries [start, end), in order, in constant memory."""
        ...

    def head(self) -> tuple[int, tuple[bytes, ...]]:
        """Size of the tree and its compact range (largest subtree first)."""
        ...

    def index_of(self, entry_id: bytes) -> int | None:
        """Where an entry is in the tree."""
        ...

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint note."""
        ...

    def facts(self, facts_id: str) -> Mapping[str, str | bool] | None:
        """Stored facts by their id."""
        ...

    def bundle(self, digest: str) -> Mapping[str, bytes] | None:
        """The files of a policy bundle by its digest."""
        ...

    def clock_rate(self) -> Rate | None:
        """The stored domain clock; None before the first start."""
        ...

    def newest_at(self) -> Micros:
        """Time of the newest entry, 0 if none."""
        ...

    def enforcement_report(
        self, tenant: str, since: Micros, until: Micros
    ) -> list[tuple[str, str, str, int]]:
        """Rows (team, mode, would, views) of what enforcing would have done, by team."""
        ...

    def idempotent(
        self, tenant: str, principal_id: str, key: str
    ) -> tuple[bytes, int, bytes] | None:
        """A stored reply: (digest of the request, status, body)."""
        ...

    def outbox_position(self, worker: str) -> int:
        """The last item of a worker's outbox that has been applied."""
        ...


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

    def append(self, entries: Sequence[SealedEntry]) -> list[int]:
        """Give the entries the next indexes, extend the tree, move the head."""
        ...

    def has_written(self, writer: bytes, writer_seq: int) -> int | None:
        """The index of a writer's entry if it has landed."""
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

    def put_mode(self, row: ModeRow) -> None:
        """Insert or replace a mode rule or proposal."""
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
        """Keep a signed checkpoint; a second one of the same size must be equal."""
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


class IdentifierLookup(Protocol):
    """*Protocol* of finding a customer by an exact identifier; a source may have no index."""

    async def find(self, tenant: str, kind: str, value: str) -> tuple[str, ...]:
        """References of the customers that have exactly this identifier, at most two.

        `kind` is one of those of the field catalogue (`email`, `phone`, `account`...). A hit and a
        miss take the same reads.

        Raises:
            InvalidRequestError: There is no such kind, or the value cannot be one of it.
        """
        ...


class ContactChannel(Protocol):
    """*Protocol* of what calls or writes to a customer for an agent who never sees the address."""

    name: str

    async def deliver(self, address: str, message: "Message") -> str:
        """Deliver; returns the channel's own id of it. `address` is used and forgotten.

        Raises:
            SourceError: It was not accepted, or nobody knows whether it was.
        """
        ...


class DetailVault(Protocol):
    """*Protocol* of the keys that hide an entry's detail; `guard.vault` implements it."""

    def seal_event(
        self, tenant: str, at: Micros, entry_id: bytes, plain: bytes
    ) -> tuple[str, bytes]:
        """Seal an event part; returns (epoch, sealed)."""
        ...

    def open_event(self, tenant: str, epoch: str, entry_id: bytes, sealed: bytes) -> bytes:
        """Open an event part.

        Raises:
            KeyUnavailableError: The epoch's key is gone or the bytes were changed.
        """
        ...

    def seal_subject(self, subject: SubjectRow, entry_id: bytes, plain: bytes) -> bytes:
        """Seal a subject part under the subject's own key."""
        ...

    def open_subject(self, subject: SubjectRow, entry_id: bytes, sealed: bytes) -> bytes:
        """Open a subject part.

        Raises:
            KeyUnavailableError: The subject was erased or the bytes were changed.
        """
        ...

    def tag(self, subject: SubjectRow, n: int) -> bytes:
        """The 16 bytes that mark a subject's n-th entry; unlinkable without its key."""
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


class Readers(Protocol):
    """*Protocol* of reading without blocking the event loop."""

    async def read(self, look: Callable[[ReadView], T]) -> T:
        """Run `look` on a snapshot.

        Raises:
            StoreUnavailableError: The store did not answer before the deadline.
        """
        ...

    async def situation(self, query: SituationQuery) -> Situation:
        """Answer `query`; concurrent callers share one set of statements."""
        ...


class Outbox(Protocol):
    """*Protocol* of the reading side of the worker's outbox."""

    worker: str

    def after(self, position: int, limit: int) -> list[OutboxItem]:
        """Items with a greater position, in order."""
        ...
