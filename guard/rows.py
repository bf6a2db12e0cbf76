"""The plain rows that the store keeps and the services above it read.

Frozen values without behaviour, in the field's own words. How they are stored is `guard.store`'s
business, how they change is decided by the services that write them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from guard.clock import Micros
from guard.entries import EntryKind, SealedPart, StoredEntry
from guard.findings import Finding, Severity
from guard.principals import LogScope, Shift
from policies.model import ActorKind, Desk, Mode, Purpose, Risk, Role, Tie, Tier, Window


class RawRecord:
    """A customer's record as its source gave it; it never prints, and never serialises.

    `values` may be nested mappings, lists and scalars. Only `guard.masking` reads it.
    """

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        """Wrap `values`."""
        self.values = values

    def __repr__(self) -> str:
        """Show nothing of the record."""
        return "RawRecord(…)"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied into a queue."""
        raise TypeError("a raw record does not leave the process")


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a writer that were never pending when later ones were: [first, before)."""

    writer: bytes
    first: int
    before: int


@dataclass(frozen=True, slots=True)
class PendingSpan:
    """Ids of the oldest and the newest pending entry; how many there are is no more than that."""

    oldest: int
    newest: int

    @property
    def most(self) -> int:
        """At most so many are pending: ids are given in order, and some are never used."""
        return self.newest - self.oldest + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrated:
    """What one turn of the integrator moved, and what it found missing."""

    count: int
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalRow:
    """Somebody in the directory. `line`: manager ids from the direct one upwards."""

    id: str
    tenant: str
    region: str
    vendor: str
    site: str
    team: str
    line: tuple[str, ...]
    role: Role
    kind: ActorKind
    shift: Shift | None
    is_active: bool = True
    desk: Desk = Desk.FRONT_LINE
    log_scope: LogScope = LogScope.TENANT


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """A customer known to the broker. `ref` is the random opaque reference that the API shows.

    `key_blind` is a blind index of (tenant, source, source key); `sealed_key` holds the source key
    under the subject's own key; `bucket` and `wrapped_key` give that key to the vault (None once
    erased); `next_n` is the number of entries about this subject so far.
    """

    ref: str
    tenant: str
    region: str
    source: str
    key_blind: bytes
    sealed_key: bytes | None
    bucket: str
    wrapped_key: bytes | None
    next_n: int
    tier: Tier
    is_decoy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case or call of one customer.

    `found_by` is the kind of identifier (`email`, `phone`...) in the ticket by which its customer
    was found, until somebody has checked who writes; None: the customer was named by its own key.
    `as_of` is the time of the newest report of the case, `held_as_of` of the newest that says who
    works on it: what is older changes neither.
    """

    id: str
    tenant: str
    ref: str
    channel: str
    opened_at: Micros
    opened_by: str | None
    closed_at: Micros | None
    found_by: str | None = None
    as_of: Micros = 0
    held_as_of: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """Who works (or worked) on a case.

    `how`: inbound, transfer, escalation, consult, qa, queue, self.
    """

    case_id: str
    tenant: str
    agent_id: str
    how: str
    from_at: Micros
    to_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case with everybody who works or worked on it, oldest assignment first."""

    case: CaseRow
    assignments: tuple[AssignmentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkListRow:
    """A grant for honest bulk work: these customers, this team, this campaign, until its end.

    `fields` are all that the campaign may show (None: what the policy shows), `pace` the most
    customers of the list that one agent may open in an hour (None: its ordinary budgets alone).
    It takes two approvals; the list is in force once `approved_by`, the second, is set. A proposal
    that does not have both at `lapses_at` gets none any more.
    """

    id: str
    tenant: str
    team: str
    campaign: str
    purpose: Purpose
    starts_at: Micros
    ends_at: Micros
    proposed_by: str
    approved_by: str | None
    size: int
    lapses_at: Micros
    first_approved_by: str | None = None
    fields: tuple[str, ...] | None = None
    pace: int | None = None


class GrantKind(StrEnum):
    """What opens a view for a while without a case behind it."""

    BREAK_GLASS = "break_glass"
    CUSTOMER_PRESENT = "customer_present"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """One agent may do more for one customer until `ends_at`.

    `reason_code` is from a closed list; what was typed beside it is in the entry alone, sealed.
    `reviewed_by` and `outcome` are set by the review afterwards.
    """

    id: str
    tenant: str
    kind: GrantKind
    agent_id: str
    ref: str
    reason_code: str
    starts_at: Micros
    ends_at: Micros
    reviewed_by: str | None = None
    reviewed_at: Micros | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceCodeRow:
    """A one-time code that the customer got in their own app; `digest` hides it.

    `tries` counts wrong ones; the code is void once `used_at` is set or too many were wrong.
    """

    id: str
    tenant: str
    ref: str
    digest: bytes
    expires_at: Micros
    tries: int
    used_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRow:
    """Two customers of one `household` or `business`; stored in both directions."""

    tenant: str
    ref: str
    other: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TieRow:
    """Somebody of the directory is, or is close to, a customer."""

    tenant: str
    principal_id: str
    ref: str
    tie: Tie


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRow:
    """A blind index of one identifier of one customer: `kind` email, phone, account...

    `blind` is a keyed hash of the normalised value; the value itself is nowhere.
    """

    tenant: str
    kind: str
    blind: bytes
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDeliveryRow:
    """A delivery that was taken in: the sender's id of it, and the time that it was signed at."""

    tenant: str
    source: str
    id: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkedView:
    """A view that nothing strong explained: its place in the log and how it was graded."""

    index: int
    entry_id: bytes
    agent_id: str
    actor_id: str
    link: str


class ActivationState(StrEnum):
    """Where a policy bundle stands on its way to being in force."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRow:
    """A bundle on its way to being in force for a tenant; at most one is active.

    `because` is the proposer's sentence; `rolled_back_from` is set when it came back by rollback.
    """

    id: str
    tenant: str
    digest: str
    state: ActivationState
    because: str
    proposed_by: str
    proposed_at: Micros
    approved_by: str | None = None
    approved_at: Micros | None = None
    activated_at: Micros | None = None
    retired_at: Micros | None = None
    rolled_back_from: str | None = None

    @property
    def review_due(self) -> bool:
        """Whether one person rolled back to it and nobody else has looked at that yet."""
        return self.rolled_back_from is not None and self.approved_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRow:
    """A mode for a scope; empty strings mean any. A proposal until `approved_by` is set.

    Of two rules for the same scope the one that was approved last is in force.
    """

    id: str
    tenant: str
    vendor: str
    team: str
    purpose: str
    mode: Mode
    proposed_by: str
    proposed_at: Micros
    approved_by: str | None
    approved_at: Micros | None = None


class AlertState(StrEnum):
    """Where the review of an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An open or finished matter. At most one unfinished alert per `key` and tenant.

    `pseudonyms` stand for `finding.agent_ids` until somebody unlocks the names.
    """

    id: str
    tenant: str
    key: str
    state: AlertState
    severity: Severity
    finding: Finding
    pseudonyms: tuple[str, ...]
    raised_at: Micros
    updated_at: Micros
    label: str | None
    assignee: str | None
    note: str | None


class ResponseKind(StrEnum):
    """The rungs of the ladder, from mild to hard."""

    NOTIFY = "notify"
    MASK_MORE = "mask_more"
    EXPLAINED_ONLY = "explained_only"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRow:
    """One step taken against one principal key; every step ends and can be contested.

    `by` is `system` or a principal id. `ended_at` is set when it is lifted before `ends_at`.
    """

    id: str
    tenant: str
    key: str
    kind: ResponseKind
    alert_id: str | None
    by: str
    reason: str
    starts_at: Micros
    ends_at: Micros
    ended_at: Micros | None
    contested: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """A scoped key of a tool. `digest` is the SHA-256 of its random secret."""

    id: str
    tenant: str
    client: str
    digest: bytes
    scopes: frozenset[str]
    may_assert: bool
    expires_at: Micros | None
    revoked_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A console session; `digest` is the SHA-256 of the cookie. Times are real, not domain.

    `mfa_at`, of the domain clock, is when a second factor was shown to whoever vouched for the
    sign-in; None: nobody has.
    """

    digest: bytes
    tenant: str
    principal_id: str
    csrf: str
    created_at: Micros
    seen_at: Micros
    mfa_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationQuery:
    """What the broker wants to know before it decides. `is_row`: about a row of a queue."""

    tenant: str
    agent_id: str
    actor_id: str | None
    keys: tuple[str, ...]
    vendor: str
    team: str
    purpose: str
    ref: str
    case_id: str | None
    at: Micros
    is_row: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the store knows: the subject, the case with all its assignments, lists, risk, mode.

    `subject` is None for a reference that does not exist in the caller's tenant. `own_open_cases`
    are the customer's open cases with a live assignment of this agent (any case, not only the named
    one) that somebody else opened and that came to the agent. `is_suspended` is true when any of
    the principal's keys is suspended at `at`. `mode_elsewhere` is the mode of the same people for a
    purpose that no rule names. `related_cases` are such cases of customers of the same household or
    business. `grants` are those of this agent for this customer that are in force. `own_cases` are
    all cases of the customer that the agent, or the AI agent that acts for it, works or worked on.
    `unlinked_since` is when the agent first opened the customer in the last day with nothing to
    explain it. `routed_at` is when work of any customer last came to the agent in the last day.
    `related_cases`, `unlinked_since` and `routed_at` are looked up for support without an own open
    case only. `has_open_case` says, for a row of a queue, that the customer has an open case which
    none of these people opened, whoever works on it.
    """

    subject: SubjectRow | None
    case: CaseRow | None
    assignments: tuple[AssignmentRow, ...]
    own_open_cases: tuple[str, ...]
    work_list: WorkListRow | None
    risk: Risk
    is_suspended: bool
    mode: Mode
    mode_elsewhere: Mode = Mode.ENFORCE
    related_cases: tuple[str, ...] = ()
    tie: Tie = Tie.NONE
    grants: tuple[GrantRow, ...] = ()
    own_cases: tuple[KnownCase, ...] = ()
    unlinked_since: Micros | None = None
    routed_at: Micros | None = None
    has_open_case: bool = False


@dataclass(slots=True, kw_only=True)
class Counter:
    """How much of (key, measure, window) is used.

    `edge` is the start of the hour for a fixed window; for a rolling one, the instant up to which
    expired charges have been subtracted.
    """

    key: str
    measure: str
    window: Window
    used: int
    edge: Micros


@dataclass(slots=True, kw_only=True)
class BudgetState:
    """The locked budget rows of one batch of admissions, to be changed in memory and saved.

    `marks`: (key, ref) -> last charged. `expired`: (key, window) -> last-charged times of marks
    that left a rolling window since the counter's edge. `slots`: (key, slot start) -> acts in that
    slot of the rolling window (`guard.quotas.SLOT` wide): those still open to change, and those
    that left the window since the counter's edge. `oldest`: (key, measure) -> the oldest charge
    still inside the rolling window (for acts, the start of its slot).
    """

    counters: dict[tuple[str, str, Window], Counter]
    marks: dict[tuple[str, str], Micros]
    expired: dict[tuple[str, Window], list[Micros]]
    slots: dict[tuple[str, Micros], int]
    oldest: dict[tuple[str, str], Micros] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPrincipal:
    """A budget key's row, locked: whether it is suspended, until when, and its risk."""

    key: str
    suspended_until: Micros | None
    risk: Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A page of the log, newest first; all that is named must hold. `before` is an index.

    `agent_id` is who asked or the AI agent that acted. `field` is a class of fields of which
    something was shown, masked or plain; with `is_clear`, plain. `regions` are those to answer
    from, none meaning all; `not_regions` are left out.
    """

    tenant: str
    ref: str | None = None
    agent_id: str | None = None
    team: str | None = None
    vendor: str | None = None
    purpose: str | None = None
    link: str | None = None
    field: str | None = None
    is_clear: bool = False
    regions: tuple[str, ...] = ()
    not_regions: tuple[str, ...] = ()
    kinds: tuple[EntryKind, ...] = ()
    since: Micros | None = None
    until: Micros | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer:
    """A page of stored entries; `following` is the next one's `before`, None at the end.

    With a `following`, a page of fewer entries than asked for (even none) ended at the bound on its
    work: nothing else was found in the stretch that it looked at.
    """

    entries: list[StoredEntry]
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCount:
    """How many entries there are, counted up to a bound; not exact: there may be more."""

    count: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartQuery:
    """Which event parts a replay reads: of these kinds, in [since, until), below index `size`."""

    tenant: str
    kinds: tuple[EntryKind, ...]
    size: int
    since: Micros
    until: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """A finding waiting to be applied, with its place in the worker's outbox."""

    position: int
    tenant: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterPart:
    """An entry of one writer: its number, its time, and its event part, still sealed."""

    seq: int
    at: Micros
    part: SealedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBackRow:
    """Entries that a history leaves out until `ends_at`, because an investigation runs.

    Concerned are entries in [since, until) by `agent_id` (empty: whoever it was) about `ref`
    (empty: whichever customer). It holds nothing until `approved_by` is set. `ended_at` is set when
    it is ended before its time.
    """

    id: str
    tenant: str
    agent_id: str
    ref: str
    since: Micros
    until: Micros
    reason: str
    proposed_by: str
    proposed_at: Micros
    ends_at: Micros
    approved_by: str | None = None
    approved_at: Micros | None = None
    ended_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRow:
    """A customer's word that an entry of their history was no contact of theirs.

    `of` is the entry that is disputed, `id` the entry of the dispute.
    """

    tenant: str
    of: str
    id: str
    ref: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """How many entries of one agent there are on one day (its first microsecond), alike."""

    day: Micros
    kind: EntryKind
    purpose: str
    link: str
    outcome: str
    count: int


class ErasureState(StrEnum):
    """Where forgetting a customer stands."""

    PROPOSED = "proposed"
    HELD = "held"
    RECORDED = "recorded"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRow:
    """A customer who is to be, or was, forgotten.

    It is in the log and the customer unknown from `RECORDED` on (`key_id` and `entry_id` are then
    set); its key is destroyed and its parts are cut down to their hashes once it is `DONE`.
    `bucket` is the one that its key was wrapped under. `is_noted` is false for one that a restore
    has replayed and that no `RESTORED` entry names yet.
    """

    id: str
    tenant: str
    ref: str
    ground: str
    state: ErasureState
    proposed_by: str
    proposed_at: Micros
    bucket: str
    key_id: str
    approved_by: str | None = None
    approved_at: Micros | None = None
    entry_id: str | None = None
    done_at: Micros | None = None
    is_noted: bool = True


class HoldScope(StrEnum):
    """What a legal hold keeps."""

    CUSTOMER = "customer"
    AGENT = "agent"
    CASE = "case"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """A legal hold: nothing that it covers is forgotten or runs out until two people lift it.

    `value` names the customer, agent or case; `ref` is the customer, also of a case. Entries in
    [since, until) are covered (None: without an end on that side). It is in force until `lifted_by`
    is set; `lift_by` is who proposed that.
    """

    id: str
    tenant: str
    scope: HoldScope
    value: str
    ref: str | None
    since: Micros | None
    until: Micros | None
    ground: str
    matter: str
    set_by: str
    set_at: Micros
    lift_by: str | None = None
    lift_at: Micros | None = None
    lifted_by: str | None = None
    lifted_at: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueQuery:
    """Which details have run out: of these kinds, before `before`, behind index `after`."""

    tenant: str
    kinds: tuple[EntryKind, ...]
    before: Micros
    after: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDetail:
    """An entry whose detail has run out, and whom it is about."""

    index: int
    at: Micros
    agent: str
    actor: str
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJobRow:
    """A file of the log: what was asked for, of which tree, and how much of it has left.

    `order` is JSON of `guard.exports.order`. `before` is the index down to which entries have left.
    `sha256` is that of the whole file; empty: it is not complete.
    """

    id: str
    tenant: str
    requested_by: str
    order: str
    size: int
    root: bytes
    created_at: Micros
    before: int
    chunks: int = 0
    entries: int = 0
    octets: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChunkRow:
    """A chunk of such a file that has left."""

    job: str
    number: int
    octets: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRow:
    """Where a live push stands; `digest` is that of what the operator declared.

    One process at a time pushes: `holder`, until `held_until`.
    """

    name: str
    digest: str
    position: int
    failures: int = 0
    next_try: Micros = 0
    holder: str = ""
    held_until: Micros = 0
