"""Reading the store: a consistent snapshot, and how to get one without blocking."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from guard.clock import Micros, Rate
from guard.entries import EntryKind, RawEntry, SealedPart, SealedSubject, StoredEntry
from guard.rows import (
    ActivationRow,
    ActivityRow,
    AlertRow,
    AlertState,
    ApiKeyRow,
    AssignmentRow,
    BudgetState,
    CaseRow,
    Counter,
    DisputeRow,
    DueDetail,
    DueQuery,
    ErasureRow,
    ErasureState,
    ExportChunkRow,
    ExportJobRow,
    GrantKind,
    GrantRow,
    HoldBackRow,
    HoldRow,
    IdentifierRow,
    KnownCase,
    LogAnswer,
    LogCount,
    LogQuery,
    ModeRow,
    PartQuery,
    PendingSpan,
    PresenceCodeRow,
    PrincipalRow,
    RelationRow,
    ResponseRow,
    SessionRow,
    SinkRow,
    Situation,
    SituationQuery,
    SubjectRow,
    TieRow,
    UnlinkedView,
    WebhookDeliveryRow,
    WorkListRow,
    WriterPart,
)

T = TypeVar("T")


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
        """Find a customer by reference; one who was erased is nobody."""
        ...

    def subject_by_blind(self, tenant: str, source: str, key_blind: bytes) -> SubjectRow | None:
        """Find a customer by the blind index of its source key."""
        ...

    def subjects(self, refs: Collection[str]) -> dict[str, SubjectRow]:
        """Find customers by reference, any tenant, erased ones too; unknown ones are absent."""
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

    def open_cases(
        self, tenant: str, agents: Collection[str], at: Micros, limit: int
    ) -> list[CaseRow]:
        """Cases that stand open at `at` with a live assignment of one of `agents`, oldest first."""
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
        """Those of `refs` that are customers of the tenant and were not erased."""
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

    def overdue_grants(self, kind: GrantKind, until: Micros, limit: int) -> list[GrantRow]:
        """Grants of all tenants that ended by `until` without a review since, oldest first."""
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

    def answer(self, query: LogQuery) -> LogAnswer:
        """A page of the log, found with a bounded amount of work however rare what is asked for."""
        ...

    def count(self, query: LogQuery, most: int) -> LogCount:
        """How many entries a question has, up to `most`, with a bounded amount of work."""
        ...

    def misindexed(self) -> int | None:
        """Where the first entries are whose index by terms contradicts them; None: nowhere."""
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

    def entry_of(self, entry_id: bytes) -> StoredEntry | None:
        """An entry by its id, from the moment it is durable: its `index` may be `UNPLACED`.

        Raises:
            ForkError: It is pending and cannot be read.
        """
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

    def activation(self, tenant: str, activation_id: str) -> ActivationRow | None:
        """Find a bundle on its way, in force, or retired."""
        ...

    def activations(self, tenant: str) -> list[ActivationRow]:
        """All bundles that were ever proposed in a tenant, oldest first."""
        ...

    def overdue_rollbacks(self, until: Micros, limit: int) -> list[ActivationRow]:
        """Rollbacks of all tenants by `until` that nobody has reviewed, oldest first."""
        ...

    def active_policies(self) -> list[ActivationRow]:
        """The bundle in force of every tenant that has one of its own."""
        ...

    def event_parts(self, query: PartQuery, after: int, limit: int) -> list[SealedPart]:
        """Sealed event parts behind index `after`, in index order, at most `limit`."""
        ...

    def refs_of(self, indexes: Collection[int]) -> Mapping[int, tuple[str, ...]]:
        """The customers that these entries are about."""
        ...

    def hold_back(self, tenant: str, hold_back_id: str) -> HoldBackRow | None:
        """Find what histories leave out."""
        ...

    def hold_backs(self, tenant: str, at: Micros) -> list[HoldBackRow]:
        """Hold-backs that are not over at `at`, approved or not, oldest first."""
        ...

    def dispute(self, tenant: str, of: str) -> DisputeRow | None:
        """The dispute of an entry, by the entry's id in hex."""
        ...

    def activity(
        self,
        tenant: str,
        agent_id: str,
        kinds: Collection[EntryKind],
        since: Micros,
        until: Micros,
    ) -> list[ActivityRow]:
        """What somebody did, themselves or by an AI agent, counted by day, purpose and grade."""
        ...

    def writer_parts(
        self, writer: bytes, kinds: Collection[EntryKind], after: int, limit: int
    ) -> list[WriterPart]:
        """Entries of one writer behind its number `after`, in its order, at most `limit`."""
        ...

    def last_writer_part(self, writer: bytes, kinds: Collection[EntryKind]) -> WriterPart | None:
        """The last entry of one writer of these kinds."""
        ...

    def accounted_writers(self) -> frozenset[bytes]:
        """Writers without a last entry that `put_accounted_writer` took note of."""
        ...

    def export_parts(self, query: LogQuery) -> list[SealedPart]:
        """The sealed event parts of a page of the log, newest first, and nothing else of it."""
        ...

    def subject_parts(self, indexes: Collection[int]) -> list[SealedSubject]:
        """The sealed subject parts of these entries, each entry's in their own order."""
        ...

    def raw_entries(self, tenant: str, start: int, end: int) -> list[RawEntry]:
        """Leaves of entries [start, end) in index order, with the sealed event parts of one tenant.

        Of other tenants' entries there is the leaf, which the published tree has too.
        """
        ...

    def raw_subjects(self, start: int, end: int) -> list[tuple[int, bytes | None]]:
        """Sealed subject parts of entries [start, end) of all tenants, in order, unnamed."""
        ...

    def export_job(self, job_id: str) -> ExportJobRow | None:
        """Find a file of the log that was asked for."""
        ...

    def export_chunks(self, job_id: str) -> list[ExportChunkRow]:
        """What has left of it, in order."""
        ...

    def sink(self, name: str) -> SinkRow | None:
        """Where a live push stands."""
        ...

    def clock_rate(self) -> Rate | None:
        """The stored domain clock; None before the first start."""
        ...

    def newest_at(self) -> Micros:
        """Time of the newest entry, 0 if none."""
        ...

    def pending_span(self) -> PendingSpan | None:
        """What is durable and has no place in the tree yet; None if nothing is."""
        ...

    def has_untold_gaps(self) -> bool:
        """Whether the integrator met missing numbers that no `GAP` entry tells yet."""
        ...

    def newest_pending_at(self) -> Micros:
        """Time of the newest of what is pending, 0 if nothing is."""
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

    def erasure(self, tenant: str, erasure_id: str) -> ErasureRow | None:
        """Find a proposal to forget a customer, or what became of it."""
        ...

    def erasures(self, tenant: str, limit: int) -> list[ErasureRow]:
        """The newest erasures of a tenant, newest first."""
        ...

    def erasures_in(self, states: Collection[ErasureState]) -> list[ErasureRow]:
        """Erasures of all tenants in these states, oldest first."""
        ...

    def erasures_of(self, tenant: str, ref: str) -> list[ErasureRow]:
        """Erasures of one customer, oldest first."""
        ...

    def members(self, buckets: Collection[str]) -> list[SubjectRow]:
        """Customers whose keys are wrapped under one of these buckets; nobody who was erased."""
        ...

    def living_after(self, after: str, limit: int) -> list[SubjectRow]:
        """A keyset page of the customers of all tenants who were not erased, by reference."""
        ...

    def is_touched(
        self, tenant: str, ref: str, agent: str | None, since: Micros | None, until: Micros | None
    ) -> bool:
        """Whether an entry in [since, until) is about a customer (and by, or through, `agent`)."""
        ...

    def due(self, query: DueQuery) -> list[DueDetail]:
        """Entries whose details have run out and are still there, in index order."""
        ...

    def parts_of_epoch(
        self, epoch: str, since: Micros, until: Micros, limit: int
    ) -> list[SealedPart]:
        """Event parts under an epoch's key, of entries in [since, until), that are still there."""
        ...

    def hold(self, tenant: str, hold_id: str) -> HoldRow | None:
        """Find a legal hold."""
        ...

    def holds(self, tenant: str) -> list[HoldRow]:
        """All legal holds of a tenant, lifted ones too, oldest first."""
        ...

    def holds_in_force(self, tenant: str) -> list[HoldRow]:
        """The legal holds of a tenant that nobody has lifted, oldest first."""
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
