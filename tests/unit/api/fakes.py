"""Small honest fakes of what stands behind the HTTP layer.

`Memory` is a store in memory: it implements the part of the ports that `api` uses, undoes a failed
transaction, and numbers entries. The services keep rows in it or answer from lists.
"""

# ruff: noqa: ARG002 - fakes take what the protocols hand in

import copy
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from api.identity.credentials import Credentials
from api.identity.issuer import Grant, LocalIssuer
from api.identity.scopes import ALL
from api.metrics import Metrics
from api.settings import Settings
from guard.access_review.service import ClassStatus, Review
from guard.activations import ProposedPolicy
from guard.alerts import AlertChange
from guard.auditing import LogPage
from guard.backtest import Report
from guard.backtest.report import TeamRow
from guard.break_glass import Glass, GlassPut, GlassState, ReviewOutcome
from guard.clock import HOUR, ManualClock, Micros
from guard.enrolment import CustomerPut
from guard.entries import EntryKind, EventPart, NewEntry, OpenedEntry, Receipt, SubjectPart
from guard.errors import AccessDeniedError, ConflictError, NotFoundError, SourceError
from guard.evidence.selecting import Question
from guard.exporting import Download
from guard.exports import ExportFormat
from guard.exports.order import ExportOrder
from guard.findings import Finding, FindingKind, Severity
from guard.forgetting import ErasureGround, HoldPut
from guard.forgetting.erasures import Erasing
from guard.history import HistoryDocument, HistoryPage, HistoryRow, HoldBackPut, LookUp, OwnHistory
from guard.masking import MaskedRecord
from guard.merges import Merged, MergeRequest
from guard.modes import EnforcementRow
from guard.ports import Committer, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.list_members import Upload, digest_of
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
    ActivationState,
    ActivityRow,
    AlertRow,
    AlertState,
    ApiKeyRow,
    CaseRow,
    DisputeRow,
    ErasureRow,
    ErasureState,
    ExportJobRow,
    GrantKind,
    GrantRow,
    HoldBackRow,
    HoldRow,
    LogCount,
    LogQuery,
    ModeRow,
    PrincipalRow,
    ResponseKind,
    ResponseRow,
    SessionRow,
    WebhookDeliveryRow,
    WorkListRow,
)
from guard.views import (
    Contacted,
    ContactRequest,
    DeliveryState,
    Failed,
    FieldNote,
    Found,
    ListRequest,
    RefusalCode,
    Refused,
    Revealed,
    RevealRequest,
    SearchRequest,
    Served,
    Verified,
    VerifyRequest,
    ViewRequest,
)
from policies.model import ActorKind, Form, Measure, Mode, Purpose, Role, Tie, Window

T = TypeVar("T")
NOW: Micros = 1_790_000_000_000_000
TENANT = "acme"


@dataclass
class Memory:
    """Rows in dicts; a `ReadView` and `UnitOfWork` as far as `api` needs one."""

    people: dict[tuple[str, str], PrincipalRow] = field(default_factory=dict)
    keys: dict[str, ApiKeyRow] = field(default_factory=dict)
    sessions: dict[bytes, SessionRow] = field(default_factory=dict)
    held: list[ResponseRow] = field(default_factory=list)
    replies: dict[tuple[str, str, str], tuple[bytes, int, bytes]] = field(default_factory=dict)
    entries: list[NewEntry] = field(default_factory=list)
    note: bytes | None = None
    repaired: dict[int, str] = field(default_factory=dict)

    def late_links(self, indexes: Collection[int]) -> dict[int, str]:
        return {index: link for index, link in self.repaired.items() if index in indexes}

    def principal(self, tenant: str, principal_id: str) -> PrincipalRow | None:
        return self.people.get((tenant, principal_id))

    def put_principal(self, row: PrincipalRow) -> None:
        self.people[row.tenant, row.id] = row

    def api_key(self, key_id: str) -> ApiKeyRow | None:
        return self.keys.get(key_id)

    def put_api_key(self, row: ApiKeyRow) -> None:
        self.keys[row.id] = row

    def session(self, digest: bytes) -> SessionRow | None:
        return self.sessions.get(digest)

    def put_session(self, row: SessionRow) -> None:
        self.sessions[row.digest] = row

    def drop_session(self, digest: bytes) -> None:
        self.sessions.pop(digest, None)

    def responses(
        self, tenant: str, *, key: str | None, active_at: Micros | None
    ) -> list[ResponseRow]:
        return [
            r
            for r in self.held
            if r.tenant == tenant
            and (key is None or r.key == key)
            and (active_at is None or (r.starts_at <= active_at < r.ends_at and r.ended_at is None))
        ]

    def checkpoint(self) -> bytes | None:
        return self.note

    def idempotent(
        self, tenant: str, principal_id: str, key: str
    ) -> tuple[bytes, int, bytes] | None:
        return self.replies.get((tenant, principal_id, key))

    def put_idempotent(
        self, tenant: str, principal_id: str, key: str, reply: tuple[bytes, int, bytes], at: Micros
    ) -> None:
        assert at > 0
        self.replies[tenant, principal_id, key] = reply


class MemoryCommitter:
    """Runs work at once; undoes it when it fails."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def run(self, work: Callable[[Transaction], T]) -> T:
        before = copy.deepcopy(self.memory.__dict__)
        try:
            return work(cast("Transaction", self))
        except BaseException:
            self.memory.__dict__.update(before)
            raise

    @property
    def rows(self) -> Memory:
        return self.memory

    def record(self, entry: NewEntry) -> Receipt:
        self.memory.entries.append(entry)
        return receipt(len(self.memory.entries) - 1)


class MemoryReaders:
    """Reads at once."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def read(self, look: Callable[[ReadView], T]) -> T:
        return look(cast("ReadView", self.memory))


def receipt(index: int | None) -> Receipt:
    return Receipt(
        entry_id="e" * 32,
        index=index,
        writer="w",
        writer_seq=index or 0,
        leaf_hash="ab" * 32,
        signature="cd" * 32,
    )


def budget(left: int = 12) -> BudgetStatus:
    return BudgetStatus(
        name="distinct-hour",
        measure=Measure.CUSTOMERS,
        window=Window.HOUR,
        limit=60,
        used=60 - left,
        left=left,
        resets_at=NOW + HOUR // 2,
    )


@dataclass
class FakeBroker:
    """Serves one record, or what `answer` says."""

    answer: Served | Refused | Exception | None = None
    asked: list[tuple[Principal, ViewRequest]] = field(default_factory=list)
    says: Any = None
    acts: list[object] = field(default_factory=list)

    async def view(self, principal: Principal, request: ViewRequest) -> Served | Refused:
        self.asked.append((principal, request))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or served()

    async def reveal(self, principal: Principal, request: RevealRequest) -> Revealed | Refused:
        return await self._said(request, revealed())

    async def listing(
        self, principal: Principal, request: ListRequest
    ) -> tuple[Served | Refused | Failed, ...]:
        return await self._said(request, (served(), refused("policy"), Failed(error=SourceError())))

    async def search(self, principal: Principal, request: SearchRequest) -> Found | Refused:
        found = Found(
            customer="ref-1", narrow=False, would="", budgets=(budget(),), receipt=receipt(43)
        )
        return await self._said(request, found)

    async def verify(self, principal: Principal, request: VerifyRequest) -> Verified | Refused:
        verified = Verified(matches=True, would="", budgets=(budget(),), receipt=receipt(44))
        return await self._said(request, verified)

    async def contact(self, principal: Principal, request: ContactRequest) -> Contacted | Refused:
        return await self._said(request, contacted())

    async def _said(self, request: object, otherwise: T) -> T:
        self.acts.append(request)
        if isinstance(self.says, Exception):
            raise self.says
        return cast("T", self.says or otherwise)

    async def quota(self, principal: Principal) -> tuple[BudgetStatus, ...]:
        return (budget(),)


def masked(values: dict[str, object]) -> MaskedRecord:
    """Stand in for a mask plan, the only maker of such a record."""
    record = MaskedRecord.__new__(MaskedRecord)
    object.__setattr__(record, "_body", json.dumps(values).encode())
    return record


def served() -> Served:
    return Served(
        record=masked({"email": "a*****@e*****.com", "nested": {"city": "[hidden]"}}),
        fields=(FieldNote(path="email", cls="contact", form=Form.MASK, why="masked for support"),),
        mode=Mode.ENFORCE,
        would="permitted",
        budgets=(budget(),),
        receipt=receipt(41),
        view_code="7K-QM",
    )


def revealed() -> Revealed:
    covered = FieldNote(path="iban", cls="financial", form=Form.HIDE, why="not for this purpose")
    return Revealed(
        shown=served(), refused=(covered,), expires_at=NOW + 30_000_000, expires_in_s=30
    )


def contacted(state: DeliveryState = DeliveryState.DELIVERED) -> Contacted:
    return Contacted(
        customer="ref-1",
        state=state,
        channel_id="m-1",
        would="",
        budgets=(budget(),),
        receipt=receipt(45),
        delivery=receipt(46),
    )


def refused(code: str, left: int = 12) -> Refused:
    return Refused(
        code=RefusalCode(code),
        reasons=("no open case links you to this customer",),
        determined_by=("unexplained-forbid",),
        receipt=receipt(42),
        budgets=(budget(left),),
        exceeded=("distinct-hour",) if left <= 0 else (),
        retry_at=NOW + HOUR // 2 if code == "quota" else None,
    )


@dataclass
class FakeCases:
    failure: Exception | None = None
    puts: list[CasePut] = field(default_factory=list)
    deliveries: list[WebhookDeliveryRow] = field(default_factory=list)

    async def deliver(
        self, principal: Principal, case: CasePut, delivery: WebhookDeliveryRow
    ) -> None:
        if any((d.id, d.at) == (delivery.id, delivery.at) for d in self.deliveries):
            raise ConflictError("this delivery was taken in before: sign a new one")
        await self.put(principal, case)
        self.deliveries.append(delivery)

    async def put(self, principal: Principal, case: CasePut) -> CaseRow:
        if self.failure is not None and (case.id == "bad" or len(self.puts) > 900):
            raise self.failure
        self.puts.append(case)
        return CaseRow(
            id=case.id,
            tenant=principal.tenant,
            ref=case.customer or "ref-minted",
            channel=case.channel,
            opened_at=case.opened_at,
            opened_by=case.opened_by,
            closed_at=case.closed_at,
        )


@dataclass
class FakeWorkload:
    """The open cases of everybody, by id."""

    cases: dict[str, list[CaseRow]] = field(default_factory=dict)

    async def mine(self, principal: Principal) -> list[CaseRow]:
        return self.cases.get(principal.id, [])


@dataclass
class FakeRelations:
    puts: list[RelationPut] = field(default_factory=list)

    async def put(self, principal: Principal, put: RelationPut) -> int:
        self.puts.append(put)
        return 1


@dataclass
class FakeTies:
    puts: list[tuple[str, str, Tie]] = field(default_factory=list)

    async def put(self, principal: Principal, principal_id: str, ref: str, tie: Tie) -> bool:
        if principal_id == principal.id:
            raise AccessDeniedError("nobody writes their own ties: ask an administrator")
        self.puts.append((principal_id, ref, tie))
        return True


class FakeSamples:
    async def draw(self, principal: Principal, put: SamplePut) -> Sample:
        drawn = tuple((f"case-{n}", put.reviewers[0]) for n in range(put.size))
        return Sample(seed="5e" * 16, drawn_from=9, ends_at=NOW, drawn=drawn)


class FakeKeys:
    def derived(self, tenant: str, use: str) -> bytes:
        return f"key of {tenant} for {use}".encode()


@dataclass
class FakeWorkLists:
    rows: dict[str, WorkListRow] = field(default_factory=dict)

    async def propose(self, principal: Principal, put: WorkListPut) -> WorkListRow:
        if put.id in self.rows:
            raise ConflictError("a work list of that id exists: choose another id")
        self.rows[put.id] = WorkListRow(
            id=put.id,
            tenant=principal.tenant,
            team=put.team,
            campaign=put.campaign,
            purpose=Purpose.OUTREACH,
            starts_at=put.starts_at,
            ends_at=put.ends_at,
            proposed_by=principal.id,
            approved_by=None,
            size=len(put.customers or ()),
            lapses_at=put.ends_at,
            fields=put.fields,
            pace=put.pace,
        )
        return self.rows[put.id]

    async def upload(
        self, principal: Principal, list_id: str, rows: AsyncIterable[ListRow | BadRow]
    ) -> tuple[Upload, StatedList]:
        if list_id not in self.rows:
            raise NotFoundError(f"no work list `{list_id}`")
        read = [row async for row in rows]
        bad = [row for row in read if isinstance(row, BadRow)]
        self.rows[list_id] = replace(self.rows[list_id], size=len(read) - len(bad))
        upload = Upload(rows=len(read), rejected=len(bad), faults=bad)
        return upload, await self.get(principal, list_id)

    async def approve(self, principal: Principal, list_id: str, digest: str) -> StatedList:
        if list_id not in self.rows:
            raise NotFoundError(f"no work list `{list_id}`")
        if digest != digest_of(()):
            raise ConflictError("this is not the list that was read: read it again")
        row = self.rows[list_id]
        self.rows[list_id] = (
            replace(row, first_approved_by=principal.id)
            if row.first_approved_by is None
            else replace(row, approved_by=principal.id)
        )
        return await self.get(principal, list_id)

    async def get(self, principal: Principal, list_id: str) -> StatedList:
        if list_id not in self.rows:
            raise NotFoundError(f"no work list `{list_id}`")
        return StatedList(row=self.rows[list_id], digest=digest_of(()))


def grant(grant_id: str = "glass-1", **changes: Any) -> GrantRow:  # noqa: ANN401 - any field
    row = GrantRow(
        id=grant_id,
        tenant=TENANT,
        kind=GrantKind.BREAK_GLASS,
        agent_id="u17",
        ref="ref-1",
        reason_code="system_outage",
        starts_at=NOW,
        ends_at=NOW + HOUR,
    )
    return replace(row, **changes)


@dataclass
class FakeBreakGlass:
    puts: list[GlassPut] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)

    async def open(self, principal: Principal, put: GlassPut) -> GrantRow:
        self.puts.append(put)
        return grant(agent_id=principal.id, ref=put.customer)

    async def end(self, principal: Principal, grant_id: str) -> GrantRow:
        return replace((await self.get(principal, grant_id)).row, ends_at=NOW)

    async def review(
        self, principal: Principal, grant_id: str, outcome: ReviewOutcome, note: str
    ) -> Glass:
        found = await self.get(principal, grant_id)
        self.asked.append((outcome, note))
        row = replace(found.row, reviewed_by=principal.id, reviewed_at=NOW, outcome=outcome.value)
        return replace(found, row=row)

    async def page(self, principal: Principal, state: GlassState) -> list[Glass]:
        self.asked.append(state)
        return [Glass(row=grant(), agent="agent-7f3k-9m2q", is_overdue=True)]

    async def get(self, principal: Principal, grant_id: str) -> Glass:
        if grant_id != "glass-1":
            raise NotFoundError(f"no break-glass `{grant_id}`")
        text = "the caller's house is on fire"
        return Glass(row=grant(), agent="agent-7f3k-9m2q", is_overdue=False, text=text)


@dataclass
class FakePresence:
    claimed: list[tuple[str, str, str | None]] = field(default_factory=list)

    async def issue(self, principal: Principal, customer: str) -> FreshCode:
        return FreshCode(code="012345", expires_in_s=300)

    async def claim(
        self, principal: Principal, customer: str, code: str, case: str | None = None
    ) -> GrantRow:
        self.claimed.append((customer, code, case))
        return grant("present-1", kind=GrantKind.CUSTOMER_PRESENT, reason_code="", ref=customer)


@dataclass
class FakeModes:
    rows: list[ModeRow] = field(default_factory=list)

    async def propose(
        self, principal: Principal, *, vendor: str, team: str, purpose: str, mode: Mode
    ) -> ModeRow:
        row = ModeRow(
            id="mode-1",
            tenant=principal.tenant,
            vendor=vendor,
            team=team,
            purpose=purpose,
            mode=mode,
            proposed_by=principal.id,
            proposed_at=NOW,
            approved_by=None,
        )
        self.rows.append(row)
        return row

    async def approve(self, principal: Principal, mode_id: str) -> ModeRow:
        for row in self.rows:
            if row.id == mode_id:
                return replace(row, approved_by=principal.id)
        raise NotFoundError("no such mode proposal")

    async def list(self, principal: Principal) -> list[ModeRow]:
        return [row for row in self.rows if row.tenant == principal.tenant]

    async def report(
        self, principal: Principal, since: Micros, until: Micros
    ) -> Sequence[EnforcementRow]:
        return (EnforcementRow(team="team-a", mode="observe", would="refused", views=3),)


@dataclass
class FakeErasures:
    rows: dict[str, ErasureRow] = field(default_factory=dict)
    held_by: tuple[HoldRow, ...] = ()
    index: int | None = 7

    async def propose(
        self, principal: Principal, customer: str, ground: ErasureGround, reason: str
    ) -> Erasing:
        row = ErasureRow(
            id="er-1",
            tenant=principal.tenant,
            ref=customer,
            ground=ground.value,
            state=ErasureState.PROPOSED,
            proposed_by=principal.id,
            proposed_at=NOW,
            bucket="b0",
            key_id="k0",
        )
        return self._put(row)

    async def approve(self, principal: Principal, erasure_id: str) -> Erasing:
        row = await self.get(principal, erasure_id)
        state = ErasureState.HELD if self.held_by else ErasureState.RECORDED
        return self._put(replace(row, state=state, approved_by=principal.id, approved_at=NOW))

    async def get(self, principal: Principal, erasure_id: str) -> ErasureRow:
        if erasure_id not in self.rows:
            raise NotFoundError("there is no such erasure")
        return self.rows[erasure_id]

    async def list(self, principal: Principal) -> list[ErasureRow]:
        return [row for row in self.rows.values() if row.tenant == principal.tenant]

    def _put(self, row: ErasureRow) -> Erasing:
        self.rows[row.id] = row
        return Erasing(row=row, receipt=receipt(self.index), held_by=self.held_by)


@dataclass
class FakeHolds:
    rows: dict[str, HoldRow] = field(default_factory=dict)

    async def set(self, principal: Principal, put: HoldPut) -> HoldRow:
        row = HoldRow(
            id="hold-1",
            tenant=principal.tenant,
            scope=put.scope,
            value=put.value,
            ref=None,
            since=put.since,
            until=put.until,
            ground=put.ground.value,
            matter=put.matter,
            set_by=principal.id,
            set_at=NOW,
        )
        self.rows[row.id] = row
        return row

    async def lift(self, principal: Principal, hold_id: str) -> HoldRow:
        if hold_id not in self.rows:
            raise NotFoundError("there is no such hold")
        row = replace(self.rows[hold_id], lift_by=principal.id, lift_at=NOW)
        self.rows[hold_id] = row
        return row

    async def list(self, principal: Principal) -> list[HoldRow]:
        return [row for row in self.rows.values() if row.tenant == principal.tenant]


@dataclass
class FakeActivations:
    rows: dict[str, ActivationRow] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    async def propose(
        self, principal: Principal, files: Mapping[str, bytes], because: str
    ) -> ActivationRow:
        self.files = dict(files)
        return self._put(activation(because=because, proposed_by=principal.id))

    async def approve(self, principal: Principal, activation_id: str) -> ActivationRow:
        row = self._found(activation_id)
        if row.approved_by is not None:
            raise ConflictError("this policy waits for no approval: see its state")
        return self._put(
            replace(row, state=ActivationState.APPROVED, approved_by=principal.id, approved_at=NOW)
        )

    async def activate(self, principal: Principal, activation_id: str) -> ActivationRow:
        row = self._found(activation_id)
        return self._put(replace(row, state=ActivationState.ACTIVE, activated_at=NOW))

    async def rollback(self, principal: Principal, because: str) -> ActivationRow:
        return self._put(
            activation("pol-2", because=because, rolled_back_from="pol-1", activated_at=NOW)
        )

    async def list(self, principal: Principal) -> list[ActivationRow]:
        return list(self.rows.values())

    async def get(self, principal: Principal, activation_id: str) -> ProposedPolicy:
        return ProposedPolicy(row=self._found(activation_id), files=self.files)

    def _found(self, activation_id: str) -> ActivationRow:
        if activation_id not in self.rows:
            raise NotFoundError("no such policy")
        return self.rows[activation_id]

    def _put(self, row: ActivationRow) -> ActivationRow:
        self.rows[row.id] = row
        return row


def activation(activation_id: str = "pol-1", **changes: Any) -> ActivationRow:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "id": activation_id,
        "tenant": TENANT,
        "digest": "d" * 64,
        "state": ActivationState.PROPOSED,
        "because": "fewer fields",
        "proposed_by": "ana",
        "proposed_at": NOW,
    }
    return ActivationRow(**values | changes)


@dataclass
class FakeBacktests:
    asked: list[tuple[str, Micros, Micros]] = field(default_factory=list)

    async def run(
        self, principal: Principal, activation_id: str, since: Micros, until: Micros
    ) -> Report:
        self.asked.append((activation_id, since, until))
        team = TeamRow(
            team="team-a",
            requests=500,
            newly_refused=14,
            newly_allowed=0,
            honest=400,
            honest_refused=0,
            honest_covered=3,
        )
        return Report(
            digest="d" * 64,
            entries=510,
            decided=500,
            repaired=2,
            facts=9,
            bad=14,
            bad_stopped=14,
            customers_seen=12,
            customers_still_seen=0,
            honest=400,
            honest_refused=0,
            newly_refused=14,
            newly_allowed=0,
            acts=(),
            teams=(team,),
            classes=(),
            refused_by=(),
            not_replayed=(),
            assumed=(),
        )


@dataclass
class FakeAccessReviews:
    rows: dict[str, Review] = field(default_factory=dict)

    async def sign(self, principal: Principal, field: str, on: Micros, statement: str) -> Review:
        self.rows["rev-1"] = Review(
            id="rev-1",
            field=field,
            classes=("contact",),
            on=on,
            policy="d" * 64,
            people=12,
            in_plain=0,
            digest="e" * 64,
            statement=statement,
            signed_by=principal.id,
            signed_at=NOW,
        )
        return self.rows["rev-1"]

    async def countersign(self, principal: Principal, review_id: str) -> Review:
        if review_id not in self.rows:
            raise NotFoundError("no such review")
        self.rows[review_id] = replace(self.rows[review_id], countersigned_by=principal.id)
        return self.rows[review_id]

    async def reviews(self, principal: Principal) -> list[Review]:
        return list(self.rows.values())

    async def status(self, principal: Principal) -> tuple[ClassStatus, ...]:
        return (ClassStatus(field_class="contact", reviewed_on=None, due_at=None, is_overdue=True),)


@dataclass
class FakeDirectory:
    memory: Memory

    async def put(self, principal: Principal, rows: Sequence[PrincipalRow]) -> int:
        for row in rows:
            self.memory.put_principal(row)
        return len(rows)


@dataclass
class FakeMerges:
    """Merges, or answers what `answer` says."""

    answer: Refused | None = None
    asked: list[MergeRequest] = field(default_factory=list)

    async def merge(self, principal: Principal, request: MergeRequest) -> Merged | Refused:
        self.asked.append(request)
        return self.answer or Merged(
            keep=request.keep, merge=request.merge, merge_id="m-7", receipt=receipt(43)
        )


@dataclass
class FakeRedactions:
    """Redacts everything, or answers what `answer` says."""

    answer: Refused | None = None

    async def redact(self, principal: Principal, request: RedactionRequest) -> Redacted | Refused:
        return self.answer or Redacted(text="[hidden]", taken=1, receipt=receipt(44))


@dataclass
class FakeEnrolment:
    puts: list[CustomerPut] = field(default_factory=list)

    async def enrol(
        self, principal: Principal, customers: Sequence[CustomerPut]
    ) -> dict[tuple[str, str], str]:
        self.puts.extend(customers)
        return {(c.source, c.source_key): f"ref-{n}" for n, c in enumerate(customers)}


def alert(alert_id: str = "alr-1", state: AlertState = AlertState.OPEN) -> AlertRow:
    finding = Finding(
        key="agent:u17",
        kind=FindingKind.AGENT,
        raised_at=NOW,
        first_event_at=NOW - HOUR,
        agent_ids=("u17",),
        score=9.25,
        severity=Severity.HIGH,
        channels=("unexplained", "walk"),
        reasons=("14 of 61 customers that u17 viewed had no open case",),
        contributions=(("unexplained", 0.75), ("walk", 0.25)),
        evidence=(7, 9),
        explained_by=("an approved work list would explain them",),
    )
    return AlertRow(
        id=alert_id,
        tenant=TENANT,
        key=finding.key,
        state=state,
        severity=Severity.HIGH,
        finding=finding,
        pseudonyms=("Heron-31",),
        raised_at=NOW,
        updated_at=NOW,
        label=None,
        assignee=None,
        note=None,
    )


def opened(index: int, agent: str = "u17", at: Micros = NOW - HOUR) -> OpenedEntry:
    event = EventPart(
        at=at,
        kind="view",
        tenant=TENANT,
        agent=agent,
        team="team-a",
        purpose="support_case",
        link="none",
        outcome="permitted",
        mode="enforce",
        classes={"contact": "MASK"},
    )
    return OpenedEntry(
        index=index,
        entry_id=f"{index:032x}",
        kind=EntryKind.VIEW,
        event=event,
        refs=("ref-1",),
        subjects=(SubjectPart(customer="ref-1", case="case-1"),),
    )


@dataclass
class FakeAlerts:
    rows: dict[str, AlertRow] = field(default_factory=lambda: {"alr-1": alert()})

    async def page(
        self,
        principal: Principal,
        *,
        states: frozenset[AlertState],
        before: str | None,
        limit: int,
    ) -> list[AlertRow]:
        ids = sorted(self.rows, reverse=True)
        rows = [self.rows[i] for i in ids if before is None or i < before]
        return [row for row in rows if row.state in states][:limit]

    async def get(self, principal: Principal, alert_id: str) -> AlertRow:
        if alert_id not in self.rows:
            raise NotFoundError(f"no alert `{alert_id}`")
        return self.rows[alert_id]

    async def change(self, principal: Principal, alert_id: str, change: AlertChange) -> AlertRow:
        row = await self.get(principal, alert_id)
        if row.state in {AlertState.CONFIRMED, AlertState.DISMISSED}:
            raise ConflictError("this alert is finished: a new finding opens a new one")
        self.rows[alert_id] = replace(
            row,
            state=change.state or row.state,
            label=change.label or row.label,
            note=change.note or row.note,
            assignee=change.assignee or row.assignee,
        )
        return self.rows[alert_id]

    async def evidence(self, principal: Principal, alert_id: str) -> list[OpenedEntry]:
        await self.get(principal, alert_id)
        return [opened(7), opened(9, agent="somebody-else")]


def response(agent: str = "u17", kind: ResponseKind = ResponseKind.SUSPEND) -> ResponseRow:
    return ResponseRow(
        id="rsp-1",
        tenant=TENANT,
        key=f"agent:{TENANT}/{agent}",
        kind=kind,
        alert_id="alr-1",
        by="ana",
        reason="a review is under way",
        starts_at=NOW - HOUR,
        ends_at=NOW + HOUR,
        ended_at=None,
        contested=None,
    )


@dataclass
class FakeSuspensions:
    memory: Memory

    async def suspend(
        self,
        principal: Principal,
        *,
        agent_id: str,
        reason: str,
        ends_at: Micros,
        alert_id: str | None = None,
    ) -> ResponseRow:
        row = replace(
            response(agent_id), reason=reason, ends_at=ends_at, alert_id=alert_id, by=principal.id
        )
        self.memory.held.append(row)
        return row

    async def lift(self, principal: Principal, response_id: str, reason: str) -> ResponseRow:
        assert reason
        for i, row in enumerate(self.memory.held):
            if row.id == response_id:
                self.memory.held[i] = replace(row, ended_at=NOW)
                return self.memory.held[i]
        raise NotFoundError("no such response")

    async def active(self, principal: Principal, agent_id: str | None) -> list[ResponseRow]:
        return self.memory.responses(principal.tenant, key=None, active_at=NOW)

    async def notices(self, principal: Principal) -> list[ResponseRow]:
        return self.memory.responses(principal.tenant, key=principal.agent_key, active_at=None)

    async def contest(self, principal: Principal, response_id: str, text: str) -> ResponseRow:
        for i, row in enumerate(self.memory.held):
            if row.id == response_id and row.key == principal.agent_key:
                self.memory.held[i] = replace(row, contested=text)
                return self.memory.held[i]
        raise NotFoundError("no such notice")


@dataclass
class FakeAuditing:
    entries: list[OpenedEntry] = field(
        default_factory=lambda: [opened(n, at=NOW - n * HOUR // 4) for n in range(9, 0, -1)]
    )
    asked: list[LogQuery] = field(default_factory=list)
    failure: Exception | None = None

    reasons: list[str] = field(default_factory=list)
    elsewhere: LogCount | None = None
    bound: int | None = None

    async def views(self, principal: Principal, query: LogQuery, reason: str = "") -> LogPage:
        self.asked.append(query)
        self.reasons.append(reason)
        if self.failure is not None:
            raise self.failure
        rows = [e for e in self.entries if query.before is None or e.index < query.before]
        page = rows[: query.limit]
        following = page[-1].index if len(page) == query.limit else self.bound
        return LogPage(entries=page, following=following, elsewhere=self.elsewhere)

    async def entry(self, principal: Principal, where: int | bytes) -> OpenedEntry:
        for one in self.entries:
            if where in {one.index, bytes.fromhex(one.entry_id)}:
                return one
        raise NotFoundError("no such entry")

    note: bytes | None = b"recordguard.local/log\n10\nAAAA\n\n\xe2\x80\x94 key sig\n"

    async def checkpoint(self) -> bytes:
        if self.note is None:
            raise NotFoundError("no checkpoint is published yet")
        return self.note

    async def proof(self, where: int | bytes) -> bytes:
        if isinstance(where, bytes) or where >= 10:
            raise NotFoundError("the log is not that long")
        return b"c2sp.org/tlog-proof@v1\n"


@dataclass
class FakeEvidence:
    asked: list[Question] = field(default_factory=list)
    failure: Exception | None = None
    failure_at_first: Exception | None = None

    async def make(self, principal: Principal, question: Question) -> AsyncIterator[bytes]:
        self.asked.append(question)
        if self.failure is not None:
            raise self.failure
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self.failure_at_first is not None:
            raise self.failure_at_first
        yield b"PK"
        yield b"..."


@dataclass
class FakeExports:
    orders: list[ExportOrder] = field(default_factory=list)
    ranges: list[tuple[int, int | None]] = field(default_factory=list)
    failure: Exception | None = None
    failure_later: Exception | None = None
    job: str = "ab" * 16

    async def export(self, principal: Principal, order: ExportOrder) -> Download:
        self.orders.append(order)
        if self.failure is not None:
            raise self.failure
        return Download(job=self.job, format=order.format, offset=0, pieces=self._pieces())

    async def resume(self, principal: Principal, job_id: str, received: int) -> Download:
        await self.progress(principal, job_id)
        pieces = self._pieces()
        await anext(pieces)
        return Download(job=self.job, format=ExportFormat.NDJSON, offset=12, pieces=pieces)

    async def progress(self, principal: Principal, job_id: str) -> ExportJobRow:
        if job_id != self.job:
            raise NotFoundError("no such export of yours")
        order = ExportOrder(format=ExportFormat.NDJSON, query=LogQuery(tenant=principal.tenant))
        return ExportJobRow(
            id=self.job,
            tenant=principal.tenant,
            requested_by=principal.id,
            order=order.encoded(),
            size=10,
            root=bytes(32),
            created_at=NOW,
            before=4,
            chunks=1,
            entries=6,
            octets=12,
        )

    async def manifest(self, principal: Principal, digest: str) -> bytes:
        if digest != "0" * 64:
            raise NotFoundError("no such manifest")
        return b"recordguard-export/v1\n{}\n\n\xe2\x80\x94 key sig\n"

    async def raw(
        self, principal: Principal, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        self.ranges.append((start, end))
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b'{"index":1}\n'
        if self.failure_later is not None:
            raise self.failure_later
        yield b'{"index":2}\n'


@dataclass
class FakeStore:
    failure: Exception | None = None
    warned: tuple[str, ...] = ()

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeHistories:
    """A history of three rows, two to a page."""

    asked: list[tuple[str, int | None, int]] = field(default_factory=list)

    async def page(
        self, principal: Principal, ref: str, *, before: int | None, limit: int
    ) -> HistoryPage:
        self.asked.append((ref, before, limit))
        if ref != "ref-1":
            raise NotFoundError("unknown customer reference")
        rows = [
            HistoryRow(
                entry=f"{n:032x}",
                at="2026-09-21T10:00:00.000000Z",
                act="opened your record",
                purpose="a support case",
                channel="phone",
                role="a support agent",
                clear=False,
            )
            for n in (3, 2, 1)
            if before is None or n < before
        ]
        document = HistoryDocument(
            origin="recordguard.local/log/exports",
            size=10,
            root="00" * 32,
            customer=ref,
            as_of="2026-09-22T10:00:00.000000Z",
            statement="as far as the law lets us tell",
            notice="",
            complete=len(rows) <= limit,
            rows=tuple(rows[:limit]),
        )
        following = None if document.complete else int(rows[limit - 1].entry, 16)
        return HistoryPage(document=document, note=b"recordguard-history/v1\n{}\n", next=following)


@dataclass
class FakeOwnHistories:
    """One act, one look-up, and the held responses of a memory."""

    memory: Memory
    asked: list[tuple[str, Micros | None, Micros | None]] = field(default_factory=list)

    async def mine(
        self, principal: Principal, *, since: Micros | None = None, until: Micros | None = None
    ) -> OwnHistory:
        self.asked.append((principal.id, since, until))
        act = ActivityRow(
            day=NOW,
            kind=EntryKind.VIEW,
            purpose="support_case",
            link="owner",
            outcome="permitted",
            count=31,
        )
        return OwnHistory(
            since=NOW - HOUR,
            until=NOW,
            as_of=NOW,
            activity=(act,),
            look_ups=(LookUp(at=NOW, role="an auditor"),),
            responses=tuple(self.memory.held),
            retention="kept for thirteen months",
            size=1,
            root="ab",
        )

    def sign(self, principal: Principal, mine: OwnHistory, said: Mapping[str, object]) -> bytes:
        return f"{principal.id} {mine.size} {said['retention']}\n".encode()


@dataclass
class FakeDisputes:
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def dispute(self, principal: Principal, ref: str, entry_id: str, text: str) -> DisputeRow:
        self.asked.append((ref, entry_id, text))
        return DisputeRow(tenant=TENANT, of=entry_id, id="d" * 32, ref=ref, at=NOW)


@dataclass
class FakeHoldBacks:
    rows: dict[str, HoldBackRow] = field(default_factory=dict)

    async def propose(self, principal: Principal, put: HoldBackPut) -> HoldBackRow:
        row = HoldBackRow(
            id=f"hbk-{len(self.rows) + 1}",
            tenant=TENANT,
            agent_id=put.agent or "",
            ref=put.customer or "",
            since=put.since,
            until=put.until,
            reason=put.reason,
            proposed_by=principal.id,
            proposed_at=NOW,
            ends_at=put.ends_at,
        )
        self.rows[row.id] = row
        return row

    async def approve(self, principal: Principal, hold_back_id: str) -> HoldBackRow:
        return self._put(hold_back_id, approved_by=principal.id, approved_at=NOW)

    async def end(self, principal: Principal, hold_back_id: str) -> HoldBackRow:
        return self._put(hold_back_id, ended_at=NOW)

    async def page(self, principal: Principal) -> list[HoldBackRow]:
        return list(self.rows.values())

    def _put(self, hold_back_id: str, **changes: Any) -> HoldBackRow:  # noqa: ANN401 - any field
        if hold_back_id not in self.rows:
            raise NotFoundError("no such hold-back")
        self.rows[hold_back_id] = replace(self.rows[hold_back_id], **changes)
        return self.rows[hold_back_id]


@dataclass
class World:
    """All services over one memory, with people and an issuer; it is an `api.ports.Services`."""

    data_dir: Path
    memory: Memory = field(default_factory=Memory)
    keyring: FakeKeys = field(default_factory=FakeKeys)
    broker: FakeBroker = field(default_factory=FakeBroker)
    cases: FakeCases = field(default_factory=FakeCases)
    workload: FakeWorkload = field(default_factory=FakeWorkload)
    relations: FakeRelations = field(default_factory=FakeRelations)
    ties: FakeTies = field(default_factory=FakeTies)
    samples: FakeSamples = field(default_factory=FakeSamples)
    work_lists: FakeWorkLists = field(default_factory=FakeWorkLists)
    break_glass: FakeBreakGlass = field(default_factory=FakeBreakGlass)
    presence: FakePresence = field(default_factory=FakePresence)
    modes: FakeModes = field(default_factory=FakeModes)
    activations: FakeActivations = field(default_factory=FakeActivations)
    backtests: FakeBacktests = field(default_factory=FakeBacktests)
    access_reviews: FakeAccessReviews = field(default_factory=FakeAccessReviews)
    enrolment: FakeEnrolment = field(default_factory=FakeEnrolment)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    auditing: FakeAuditing = field(default_factory=FakeAuditing)
    histories: FakeHistories = field(default_factory=FakeHistories)
    disputes: FakeDisputes = field(default_factory=FakeDisputes)
    hold_backs: FakeHoldBacks = field(default_factory=FakeHoldBacks)
    exports: FakeExports = field(default_factory=FakeExports)
    evidence: FakeEvidence = field(default_factory=FakeEvidence)
    merges: FakeMerges = field(default_factory=FakeMerges)
    redactions: FakeRedactions = field(default_factory=FakeRedactions)
    erasures: FakeErasures = field(default_factory=FakeErasures)
    holds: FakeHolds = field(default_factory=FakeHolds)
    store: FakeStore = field(default_factory=FakeStore)
    metrics: Metrics = field(default_factory=Metrics)
    remarked: list[str] = field(default_factory=list)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.data_dir, demo=True)
        self.committer = cast("Committer", MemoryCommitter(self.memory))
        self.readers = cast("Readers", MemoryReaders(self.memory))
        self.directory = FakeDirectory(self.memory)
        self.suspensions = FakeSuspensions(self.memory)
        self.own_histories = FakeOwnHistories(self.memory)
        self.credentials = Credentials(
            self.committer, self.readers, self.clock, wall=self.clock.now
        )
        self.issuer = LocalIssuer.open(
            self.data_dir,
            issuer=self.settings.issuer,
            audience=self.settings.audience,
            wall=self.clock.now,
        )
        for name, role in PEOPLE.items():
            self.memory.put_principal(person(name, role))
        self.memory.put_principal(person("desk", Role.SERVICE, ActorKind.SERVICE))
        self.memory.put_principal(person("bot", Role.AGENT, ActorKind.AI))

    def check(self) -> None:
        self.store.check()

    def warnings(self) -> tuple[str, ...]:
        return self.store.warned

    def remarks(self) -> list[str]:
        return self.remarked

    def token(self, name: str, *scopes: str, **changes: Any) -> str:  # noqa: ANN401 - fields of Grant
        asked = scopes or tuple(ALL)
        grant = Grant(sub=name, tenant=TENANT, client="desktop", scopes=asked)
        return self.issuer.mint(replace(grant, **changes))

    def bearer(self, name: str, *scopes: str, **changes: Any) -> dict[str, str]:  # noqa: ANN401 - as above
        return {"authorization": f"Bearer {self.token(name, *scopes, **changes)}"}


PEOPLE: Mapping[str, Role] = {
    "u17": Role.AGENT,
    "lee": Role.LEAD,
    "max": Role.MANAGER,
    "ana": Role.ANALYST,
    "aud": Role.AUDITOR,
    "adm": Role.ADMIN,
}


def person(name: str, role: Role, kind: ActorKind = ActorKind.HUMAN) -> PrincipalRow:
    return PrincipalRow(
        id=name,
        tenant=TENANT,
        region="eu",
        vendor="v1",
        site="s1",
        team="team-a",
        line=("lee",) if role is Role.AGENT else (),
        role=role,
        kind=kind,
        shift=None,
    )
