"""Break-glass: somebody opens one customer without a case, says why, and answers for it.

The reason is a code of a closed list and a text; the glass stays broken for minutes. It is scarce
(`PER_DAY`, `PER_MONTH` for each person), noticed at once (an alert in the same transaction) and
reviewed afterwards by somebody outside the agent's line. A review that is overdue stops the next
break-glass of the same person. What is asked and refused is an entry as well.

The text and the reviewer's note are sealed with the customer's part of the entry; nothing else
keeps them. Deciding what a broken glass shows is the policy's business.
"""

import dataclasses
import secrets
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from guard.alerts import AlertChange, Alerts
from guard.clock import DAY, HOUR, MINUTE, Clock, Micros
from guard.entries import BodyValue, EntryKind, EventPart, NewEntry, Receipt, SubjectPart, event_by
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.findings import Finding, FindingKind, Severity
from guard.ledger.entry import open_entry
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import AlertState, GrantKind, GrantRow, LogQuery, ResponseKind
from guard.vault.pseudonyms import Pseudonyms
from policies.model import ActorKind, Role

MAX_MINUTES = 60
# Long enough that somebody has to say something.
MIN_TEXT, MAX_TEXT = 20, 2_000
PER_DAY, PER_MONTH = 2, 5
MONTH: Micros = 30 * DAY
# Over a weekend somebody must find the time.
REVIEW_WITHIN: Micros = 72 * HOUR
MAX_PAGE = 200
# Where the opening of a grant is looked for in the log of its customer.
LOOKED_AT = 500
_KIND = GrantKind.BREAK_GLASS
_MAY_BREAK = frozenset({Role.AGENT, Role.LEAD, Role.MANAGER})
_MAY_REVIEW = frozenset({Role.LEAD, Role.MANAGER, Role.ANALYST, Role.ADMIN})
_MAY_READ = _MAY_REVIEW | {Role.AUDITOR}


class ReasonCode(StrEnum):
    """Why somebody may break the glass; see `docs/grants.md`."""

    THREAT_TO_LIFE = "threat_to_life"
    FRAUD_IN_PROGRESS = "fraud_in_progress"
    CUSTOMER_VULNERABLE = "customer_vulnerable"
    REGULATOR_DEADLINE = "regulator_deadline"
    SYSTEM_OUTAGE = "system_outage"


class ReviewOutcome(StrEnum):
    """What a review found."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class GlassState(StrEnum):
    """Which grants a list shows."""

    OPEN = "open"
    UNREVIEWED = "unreviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassPut:
    """What somebody asks for."""

    customer: str
    reason_code: ReasonCode
    text: str
    minutes: int
    case: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """A grant as its readers see it: others than the agent itself read a pseudonym.

    `text` is what was typed, None where it is not asked for or was erased with the customer.
    """

    row: GrantRow
    agent: str
    is_overdue: bool
    text: str | None = None


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why nothing was opened; its entry is written."""

    error: Exception


class BreakGlass:
    """Opens, ends, lists and reviews break-glass grants."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        alerts: Alerts,
        pseudonyms: Pseudonyms,
        vault: DetailVault,
    ) -> None:
        """Write through `committer`, raise through `alerts`, open what was typed with `vault`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._alerts, self._pseudonyms, self._vault = alerts, pseudonyms, vault

    async def open(self, principal: Principal, put: GlassPut) -> GrantRow:
        """Open one customer for some minutes; the alert is raised when this returns.

        Raises:
            InvalidRequestError: The text is too short or too long, or the minutes are not 1 to 60.
            AccessDeniedError: The role may not, the limit is reached, or a review is overdue.
            NotFoundError: There is no such customer.
            ConflictError: The glass is broken for this customer already.
        """
        _check(put)

        def work(tx: Transaction) -> GrantRow | _Refused:
            at = max(self._clock.now(), tx.rows.newest_at())
            recent = tx.rows.grants_of(principal.tenant, _KIND, principal.id, at - MONTH)
            try:
                self._admit(tx, principal, put, recent, at)
            except (AccessDeniedError, NotFoundError) as error:
                self._refuse(tx, principal, put, str(error), at)
                return _Refused(error)
            row = GrantRow(
                id="glass-" + secrets.token_hex(8),
                tenant=principal.tenant,
                kind=_KIND,
                agent_id=principal.id,
                ref=put.customer,
                reason_code=put.reason_code.value,
                starts_at=at,
                ends_at=at + put.minutes * MINUTE,
            )
            tx.rows.put_grant(row)
            receipt = _record(
                tx, event_by(principal, EntryKind.GRANT, at), row, "opened", (put.case, put.text)
            )
            today = 1 + sum(one.starts_at > at - DAY for one in recent)
            self._alerts.notice(tx, row.tenant, _finding(row, receipt, today))
            return row

        answer = await self._committer.run(work)
        if isinstance(answer, _Refused):
            raise answer.error
        return answer

    async def end(self, principal: Principal, grant_id: str) -> GrantRow:
        """End one's own grant before its time.

        Raises:
            NotFoundError: The caller has no such grant.
            ConflictError: It has ended.
        """

        def work(tx: Transaction) -> GrantRow:
            row = _found(tx.rows, principal, grant_id)
            if row.agent_id != principal.id:
                raise NotFoundError("no such break-glass")
            at = max(self._clock.now(), tx.rows.newest_at())
            if row.ends_at <= at:
                raise ConflictError("this break-glass has ended")
            ended = dataclasses.replace(row, ends_at=at)
            tx.rows.put_grant(ended)
            _record(tx, event_by(principal, EntryKind.GRANT, at), ended, "ended")
            return ended

        return await self._committer.run(work)

    async def review(
        self, principal: Principal, grant_id: str, outcome: ReviewOutcome, note: str
    ) -> Glass:
        """Say whether a grant that has ended was justified; its alert ends with it.

        Raises:
            AccessDeniedError: The role may not, or the reviewer stands in the agent's line.
            NotFoundError: There is no such grant.
            ConflictError: It is still open, or reviewed already.
            InvalidRequestError: There is no note.
        """
        _require(principal, _MAY_REVIEW, "review a break-glass")
        if not note.strip() or len(note) > MAX_TEXT:
            raise InvalidRequestError(f"say in `note` what you found, in 1 to {MAX_TEXT} letters")

        def work(tx: Transaction) -> GrantRow:
            row = _found(tx.rows, principal, grant_id)
            if row.reviewed_by is not None:
                raise ConflictError("this break-glass is reviewed already")
            agent = tx.rows.principal(row.tenant, row.agent_id)
            require_second_person(agent, principal, whose="agent")
            at = max(self._clock.now(), tx.rows.newest_at())
            if row.ends_at > at:
                raise ConflictError("this break-glass is still open: review it when it has ended")
            reviewed = dataclasses.replace(
                row, reviewed_by=principal.id, reviewed_at=at, outcome=outcome.value
            )
            tx.rows.put_grant(reviewed)
            event = event_by(principal, EntryKind.GRANT, at)
            _record(tx, event, reviewed, "reviewed", (None, note))
            self._alerts.settle(tx, principal, _alert_key(row.id), _settled(outcome))
            return reviewed

        row = await self._committer.run(work)
        return self._shown(principal, row, self._clock.now())

    async def page(self, principal: Principal, state: GlassState) -> list[Glass]:
        """Grants that are open, newest first, or that wait for a review, the oldest first.

        Raises:
            AccessDeniedError: The role may not read them.
        """
        _require(principal, _MAY_READ, "read break-glass grants")
        at = self._clock.now()

        def look(view: ReadView) -> list[GrantRow]:
            read = view.open_grants if state is GlassState.OPEN else view.unreviewed_grants
            return read(principal.tenant, _KIND, at, MAX_PAGE)

        rows = await self._readers.read(look)
        return [self._shown(principal, row, at) for row in rows]

    async def get(self, principal: Principal, grant_id: str) -> Glass:
        """One grant with what was typed, for who is about to review it.

        Raises:
            AccessDeniedError: The role may not read them.
            NotFoundError: There is no such grant.
        """
        _require(principal, _MAY_READ, "read break-glass grants")

        def look(view: ReadView) -> tuple[GrantRow, str | None]:
            row = _found(view, principal, grant_id)
            return row, _typed(view, self._vault, row)

        row, text = await self._readers.read(look)
        return dataclasses.replace(self._shown(principal, row, self._clock.now()), text=text)

    def _admit(
        self,
        tx: Transaction,
        principal: Principal,
        put: GlassPut,
        recent: list[GrantRow],
        at: Micros,
    ) -> None:
        """Refuse who may not, whom, how often."""
        is_person = principal.kind is ActorKind.HUMAN and principal.actor is None
        if principal.role not in _MAY_BREAK or not is_person:
            raise AccessDeniedError("an agent, lead or manager breaks the glass: ask one of them")
        held = tx.rows.responses(principal.tenant, key=principal.agent_key, active_at=at)
        if any(one.kind is ResponseKind.SUSPEND for one in held):
            raise AccessDeniedError("this access is suspended: see your notices")
        if tx.rows.subject(principal.tenant, put.customer) is None:
            raise NotFoundError(
                "there is no such customer: use the reference that came with the case"
            )
        if any(one.ref == put.customer and one.ends_at > at for one in recent):
            raise ConflictError("the glass is broken for this customer already: use that grant")
        if any(is_overdue(one, at) for one in recent):
            raise AccessDeniedError("an earlier break-glass waits for its review: ask for it first")
        today = sum(one.starts_at > at - DAY for one in recent)
        month = sum(one.starts_at > at - MONTH for one in recent)
        if today >= PER_DAY or month >= PER_MONTH:
            raise AccessDeniedError(
                f"the glass is broken at most {PER_DAY} times a day and {PER_MONTH} times in 30 "
                "days: ask somebody who has a case of this customer"
            )

    def _refuse(
        self, tx: Transaction, principal: Principal, put: GlassPut, why: str, at: Micros
    ) -> None:
        """Record what was asked and not given; a reference that is nobody's has no subject."""
        event = msgspec.structs.replace(
            event_by(principal, EntryKind.GRANT, at),
            outcome="refused",
            reasons=(why,),
            body={
                "kind": _KIND.value,
                "state": "refused",
                "agent": principal.id,
                "reason_code": put.reason_code.value,
            },
        )
        known = tx.rows.subject(principal.tenant, put.customer) is not None
        part = SubjectPart(customer=put.customer, case=put.case or "", reason=put.text)
        tx.record(NewEntry(kind=EntryKind.GRANT, event=event, subjects=(part,) if known else ()))

    def _shown(self, principal: Principal, row: GrantRow, at: Micros) -> Glass:
        # Whoever could read the name here would know whom a pseudonym in an alert stands for.
        own = row.agent_id == principal.id
        name = row.agent_id if own else self._pseudonyms.pseudonym(row.tenant, row.agent_id)
        return Glass(row=row, agent=name, is_overdue=is_overdue(row, at))


def _record(
    tx: Transaction,
    event: EventPart,
    row: GrantRow,
    state: str,
    said: tuple[str | None, str] = (None, ""),
) -> Receipt:
    """Write that a grant came to `state`; `said`: the case named and the words typed."""
    body: dict[str, BodyValue] = {
        "grant": row.id,
        "kind": row.kind.value,
        "state": state,
        "agent": row.agent_id,
        "reason_code": row.reason_code,
        "until": row.ends_at,
        "outcome": row.outcome or "",
    }
    part = SubjectPart(customer=row.ref, case=said[0] or "", reason=said[1])
    event = msgspec.structs.replace(event, body=body)
    return tx.record(NewEntry(kind=EntryKind.GRANT, event=event, subjects=(part,)))


def is_overdue(row: GrantRow, at: Micros) -> bool:
    """Whether a grant has waited too long for its review."""
    return row.reviewed_at is None and row.ends_at + REVIEW_WITHIN <= at


def _finding(row: GrantRow, receipt: Receipt, today: int) -> Finding:
    """The notice of one break-glass: no suspicion, so its score is nothing."""
    minutes = (row.ends_at - row.starts_at) // MINUTE
    return Finding(
        key=_alert_key(row.id),
        kind=FindingKind.BREAK_GLASS,
        raised_at=row.starts_at,
        first_event_at=row.starts_at,
        agent_ids=(row.agent_id,),
        score=0.0,
        severity=Severity.LOW if today == 1 else Severity.MEDIUM,
        channels=("break_glass",),
        reasons=(
            f"the glass was broken for one customer for {minutes} minutes: {row.reason_code}",
            f"{today} of {PER_DAY} times in 24 hours",
        ),
        contributions=(("break_glass", 1.0),),
        evidence=() if receipt.index is None else (receipt.index,),
        explained_by=("its review afterwards says whether it was justified",),
    )


def _alert_key(grant_id: str) -> str:
    return f"break_glass:{grant_id}"


def _settled(outcome: ReviewOutcome) -> AlertChange:
    """How a review leaves the alert; the note stays sealed with the entry."""
    if outcome is ReviewOutcome.JUSTIFIED:
        return AlertChange(state=AlertState.DISMISSED, label="honest")
    return AlertChange(state=AlertState.CONFIRMED, label="policy_violation")


def _typed(view: ReadView, vault: DetailVault, row: GrantRow) -> str | None:
    """What the agent typed, from the entry that opened the grant."""
    query = LogQuery(
        tenant=row.tenant,
        ref=row.ref,
        kinds=(EntryKind.GRANT,),
        since=row.starts_at,
        until=row.starts_at + 1,
        limit=LOOKED_AT,
    )
    subjects = view.subjects({row.ref})
    for stored in view.search(query):
        entry = open_entry(stored, vault, subjects)
        if entry.event.body.get("grant") == row.id and entry.subjects[0] is not None:
            return entry.subjects[0].reason
    return None


def _found(view: ReadView, principal: Principal, grant_id: str) -> GrantRow:
    row = view.grant(principal.tenant, grant_id)
    if row is None or row.kind is not _KIND:
        raise NotFoundError("no such break-glass")
    return row


def _require(principal: Principal, roles: frozenset[Role], what: str) -> None:
    if principal.role not in roles or principal.actor is not None:
        raise AccessDeniedError(f"your role may not {what}: ask a lead, manager or analyst")


def _check(put: GlassPut) -> None:
    if not 1 <= put.minutes <= MAX_MINUTES:
        raise InvalidRequestError(f"`minutes` is 1 to {MAX_MINUTES}")
    if len(put.text.strip()) < MIN_TEXT or len(put.text) > MAX_TEXT:
        raise InvalidRequestError(
            f"say in `text` what happens, in {MIN_TEXT} to {MAX_TEXT} letters"
        )
