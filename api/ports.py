"""What the HTTP layer needs of the services behind it, stated as protocols.

`api.bootstrap` builds the real ones; a test may hand in fakes. The values that pass through are the
guard's own.
"""

from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Protocol

from api.identity.credentials import Credentials
from api.log_ports import (
    Auditing,
    Disputes,
    Erasures,
    Evidence,
    Exports,
    Histories,
    HoldBacks,
    Holds,
    OwnHistories,
    TenantKeys,
)
from api.metrics import Metrics
from api.settings import Settings
from guard.access_review.service import ClassStatus, Review
from guard.activations import ProposedPolicy
from guard.alerts import AlertChange
from guard.backtest import Report
from guard.break_glass import Glass, GlassPut, GlassState, ReviewOutcome
from guard.clock import Clock, Micros
from guard.enrolment import CustomerPut
from guard.entries import OpenedEntry
from guard.merges import Merged, MergeRequest
from guard.modes import EnforcementRow
from guard.ports import Committer, Readers
from guard.principals import Principal
from guard.purposes.list_members import Upload
from guard.purposes.list_rows import BadRow, ListRow
from guard.purposes.presence import FreshCode
from guard.purposes.relations import RelationPut
from guard.purposes.reports import CasePut
from guard.purposes.samples import Sample, SamplePut
from guard.purposes.work_lists import StatedList, WorkListPut
from guard.quotas import BudgetStatus
from guard.redactions import Redacted, RedactionRequest
from guard.rows import (
    ActivationRow,
    AlertRow,
    AlertState,
    CaseRow,
    GrantRow,
    ModeRow,
    PrincipalRow,
    ResponseRow,
    WebhookDeliveryRow,
    WorkListRow,
)
from guard.views import (
    Contacted,
    ContactRequest,
    Failed,
    Found,
    ListRequest,
    Refused,
    Revealed,
    RevealRequest,
    SearchRequest,
    Served,
    Verified,
    VerifyRequest,
    ViewRequest,
)
from policies.model import Mode, Tie


class Broker(Protocol):
    """*Protocol* of the one door to records: `guard.broker`."""

    async def view(self, principal: Principal, request: ViewRequest) -> Served | Refused:
        """Serve or refuse one view."""
        ...

    async def reveal(self, principal: Principal, request: RevealRequest) -> Revealed | Refused:
        """Open single fields of a view."""
        ...

    async def listing(
        self, principal: Principal, request: ListRequest
    ) -> tuple[Served | Refused | Failed, ...]:
        """Show a queue."""
        ...

    async def search(self, principal: Principal, request: SearchRequest) -> Found | Refused:
        """Find at most one customer."""
        ...

    async def verify(self, principal: Principal, request: VerifyRequest) -> Verified | Refused:
        """Check a claim."""
        ...

    async def contact(self, principal: Principal, request: ContactRequest) -> Contacted | Refused:
        """Call or write to a customer."""
        ...

    async def quota(self, principal: Principal) -> tuple[BudgetStatus, ...]:
        """What the caller's own budgets still allow."""
        ...


class Cases(Protocol):
    """*Protocol* of taking cases in: `guard.purposes.cases`."""

    async def put(self, principal: Principal, case: CasePut) -> CaseRow:
        """Insert or replace a case."""
        ...

    async def deliver(
        self, principal: Principal, case: CasePut, delivery: WebhookDeliveryRow
    ) -> None:
        """Put a case that a webhook brought, once."""
        ...


class Relations(Protocol):
    """*Protocol* of customers who belong together: `guard.purposes.relations`."""

    async def put(self, principal: Principal, put: RelationPut) -> int:
        """Store or end relations; how many pairs changed."""
        ...


class Ties(Protocol):
    """*Protocol* of people who are close to customers: `guard.purposes.ties`."""

    async def put(self, principal: Principal, principal_id: str, ref: str, tie: Tie) -> bool:
        """Store or end a tie; whether that was new."""
        ...


class Samples(Protocol):
    """*Protocol* of quality samples: `guard.purposes.samples`."""

    async def draw(self, principal: Principal, put: SamplePut) -> Sample:
        """Draw and assign a sample."""
        ...


class Workload(Protocol):
    """*Protocol* of what somebody works on: `guard.purposes.workload`."""

    async def mine(self, principal: Principal) -> list[CaseRow]:
        """The caller's open cases."""
        ...


class WorkLists(Protocol):
    """*Protocol* of bulk grants: `guard.purposes.work_lists`."""

    async def propose(self, principal: Principal, put: WorkListPut) -> WorkListRow:
        """Store a list that waits for approval."""
        ...

    async def upload(
        self, principal: Principal, list_id: str, rows: AsyncIterable[ListRow | BadRow]
    ) -> tuple[Upload, StatedList]:
        """Replace the customers of a proposal."""
        ...

    async def approve(self, principal: Principal, list_id: str, digest: str) -> StatedList:
        """Approve somebody else's list, which has that digest."""
        ...

    async def get(self, principal: Principal, list_id: str) -> StatedList:
        """A list with its digest."""
        ...


class BreakGlass(Protocol):
    """*Protocol* of opening a customer without a case: `guard.break_glass`."""

    async def open(self, principal: Principal, put: GlassPut) -> GrantRow:
        """Open one customer for some minutes."""
        ...

    async def end(self, principal: Principal, grant_id: str) -> GrantRow:
        """End one's own grant early."""
        ...

    async def review(
        self, principal: Principal, grant_id: str, outcome: ReviewOutcome, note: str
    ) -> Glass:
        """Say whether it was justified."""
        ...

    async def page(self, principal: Principal, state: GlassState) -> list[Glass]:
        """Grants in one state."""
        ...

    async def get(self, principal: Principal, grant_id: str) -> Glass:
        """One grant with what was typed."""
        ...


class Presence(Protocol):
    """*Protocol* of codes that a present customer says: `guard.purposes.presence`."""

    async def issue(self, principal: Principal, customer: str) -> FreshCode:
        """Make a code for a customer."""
        ...

    async def claim(
        self, principal: Principal, customer: str, code: str, case: str | None = None
    ) -> GrantRow:
        """Take the code that the customer said."""
        ...


class Modes(Protocol):
    """*Protocol* of the modes: `guard.modes`."""

    async def propose(
        self, principal: Principal, *, vendor: str, team: str, purpose: str, mode: Mode
    ) -> ModeRow:
        """Propose a mode for a scope."""
        ...

    async def approve(self, principal: Principal, mode_id: str) -> ModeRow:
        """Approve somebody else's proposal."""
        ...

    async def list(self, principal: Principal) -> list[ModeRow]:
        """All rules and proposals."""
        ...

    async def report(
        self, principal: Principal, since: Micros, until: Micros
    ) -> Sequence[EnforcementRow]:
        """What enforcing did or would have done."""
        ...


class Activations(Protocol):
    """*Protocol* of the life of policies: `guard.activations`."""

    async def propose(
        self, principal: Principal, files: Mapping[str, bytes], because: str
    ) -> ActivationRow:
        """Propose a bundle."""
        ...

    async def approve(self, principal: Principal, activation_id: str) -> ActivationRow:
        """Approve somebody else's, or review a rollback."""
        ...

    async def activate(self, principal: Principal, activation_id: str) -> ActivationRow:
        """Put an approved one in force."""
        ...

    async def rollback(self, principal: Principal, because: str) -> ActivationRow:
        """Go back to the one before."""
        ...

    async def list(self, principal: Principal) -> list[ActivationRow]:
        """All that were ever proposed."""
        ...

    async def get(self, principal: Principal, activation_id: str) -> ProposedPolicy:
        """One with its files."""
        ...


class Backtests(Protocol):
    """*Protocol* of trying a policy on the log: `guard.backtest`."""

    async def run(
        self, principal: Principal, activation_id: str, since: Micros, until: Micros
    ) -> Report:
        """What it would have done."""
        ...


class AccessReviews(Protocol):
    """*Protocol* of recertification: `guard.access_review`."""

    async def sign(self, principal: Principal, field: str, on: Micros, statement: str) -> Review:
        """Review and sign."""
        ...

    async def countersign(self, principal: Principal, review_id: str) -> Review:
        """Agree with what somebody signed."""
        ...

    async def reviews(self, principal: Principal) -> list[Review]:
        """All reviews."""
        ...

    async def status(self, principal: Principal) -> tuple[ClassStatus, ...]:
        """Every class, and when it is due."""
        ...


class Directory(Protocol):
    """*Protocol* of who works where: `guard.directory`."""

    async def put(self, principal: Principal, rows: Sequence[PrincipalRow]) -> int:
        """Insert or replace people; how many changed."""
        ...


class Enrolment(Protocol):
    """*Protocol* of minting references: `guard.enrolment`."""

    async def enrol(
        self, principal: Principal, customers: Sequence[CustomerPut]
    ) -> dict[tuple[str, str], str]:
        """References by (source, source key)."""
        ...


class Alerts(Protocol):
    """*Protocol* of reviewing: `guard.alerts`."""

    async def page(
        self,
        principal: Principal,
        *,
        states: frozenset[AlertState],
        before: str | None,
        limit: int,
    ) -> list[AlertRow]:
        """A page, newest first."""
        ...

    async def get(self, principal: Principal, alert_id: str) -> AlertRow:
        """One alert."""
        ...

    async def change(self, principal: Principal, alert_id: str, change: AlertChange) -> AlertRow:
        """Review it."""
        ...

    async def evidence(self, principal: Principal, alert_id: str) -> list[OpenedEntry]:
        """The entries that raised it."""
        ...


class Suspensions(Protocol):
    """*Protocol* of responses against access: `guard.suspensions`."""

    async def suspend(
        self,
        principal: Principal,
        *,
        agent_id: str,
        reason: str,
        ends_at: Micros,
        alert_id: str | None = None,
    ) -> ResponseRow:
        """Suspend somebody at once."""
        ...

    async def lift(self, principal: Principal, response_id: str, reason: str) -> ResponseRow:
        """End a response early."""
        ...

    async def active(self, principal: Principal, agent_id: str | None) -> list[ResponseRow]:
        """Responses in force."""
        ...

    async def notices(self, principal: Principal) -> list[ResponseRow]:
        """What concerns the caller's own access."""
        ...

    async def contest(self, principal: Principal, response_id: str, text: str) -> ResponseRow:
        """Object to a response against oneself."""
        ...


class Merges(Protocol):
    """*Protocol* of merging by reference: `guard.merges`."""

    async def merge(self, principal: Principal, request: MergeRequest) -> Merged | Refused:
        """Have two records merged, or refuse."""
        ...


class Redactions(Protocol):
    """*Protocol* of redacting texts: `guard.redactions`."""

    async def redact(self, principal: Principal, request: RedactionRequest) -> Redacted | Refused:
        """Redact one text, or refuse."""
        ...


class Services(Protocol):
    """*Protocol* of all services together; `api.bootstrap.Services` is the real one."""

    @property
    def settings(self) -> Settings:
        """What the operator set."""
        ...

    @property
    def clock(self) -> Clock:
        """The domain clock."""
        ...

    @property
    def readers(self) -> Readers:
        """Reads of the store."""
        ...

    @property
    def committer(self) -> Committer:
        """The one writer."""
        ...

    @property
    def keyring(self) -> TenantKeys:
        """The keys of the tenants."""
        ...

    @property
    def broker(self) -> Broker:
        """The one door to records."""
        ...

    @property
    def cases(self) -> Cases:
        """Cases."""
        ...

    @property
    def workload(self) -> Workload:
        """Everybody's own open cases."""
        ...

    @property
    def relations(self) -> Relations:
        """Relations of customers."""
        ...

    @property
    def ties(self) -> Ties:
        """Ties of people to customers."""
        ...

    @property
    def samples(self) -> Samples:
        """Quality samples."""
        ...

    @property
    def work_lists(self) -> WorkLists:
        """Work lists."""
        ...

    @property
    def break_glass(self) -> BreakGlass:
        """Break-glass."""
        ...

    @property
    def presence(self) -> Presence:
        """Customers who are present."""
        ...

    @property
    def modes(self) -> Modes:
        """Modes."""
        ...

    @property
    def activations(self) -> Activations:
        """Policies."""
        ...

    @property
    def backtests(self) -> Backtests:
        """Backtests."""
        ...

    @property
    def access_reviews(self) -> AccessReviews:
        """Access reviews."""
        ...

    @property
    def directory(self) -> Directory:
        """The directory."""
        ...

    @property
    def enrolment(self) -> Enrolment:
        """Enrolment."""
        ...

    @property
    def alerts(self) -> Alerts:
        """Alerts."""
        ...

    @property
    def suspensions(self) -> Suspensions:
        """Responses."""
        ...

    @property
    def auditing(self) -> Auditing:
        """The log."""
        ...

    @property
    def histories(self) -> Histories:
        """Customers' own histories."""
        ...

    @property
    def own_histories(self) -> OwnHistories:
        """Everybody's own history."""
        ...

    @property
    def disputes(self) -> Disputes:
        """Customers' disputes."""
        ...

    @property
    def hold_backs(self) -> HoldBacks:
        """What histories leave out."""
        ...

    @property
    def exports(self) -> Exports:
        """Files of the log."""
        ...

    @property
    def evidence(self) -> Evidence:
        """Bundles of the log that outsiders check."""
        ...

    @property
    def merges(self) -> Merges:
        """Merges."""
        ...

    @property
    def redactions(self) -> Redactions:
        """Redactions."""
        ...

    @property
    def erasures(self) -> Erasures:
        """Erasures."""
        ...

    @property
    def holds(self) -> Holds:
        """Legal holds."""
        ...

    @property
    def credentials(self) -> Credentials:
        """API keys, tickets and sessions."""
        ...

    @property
    def metrics(self) -> Metrics:
        """The service's metrics."""
        ...

    def check(self) -> None:
        """Raise StoreUnavailableError unless a view would work right now; blocks."""
        ...

    def warnings(self) -> tuple[str, ...]:
        """What does not keep a view from working yet, and will if it goes on."""
        ...

    def remarks(self) -> list[str]:
        """What an operator should look at although views work; it names nobody."""
        ...
