"""Findings become alerts, alerts become responses, and people review them.

At most one unfinished alert per matter; a repeated finding updates it. The response ladder climbs
with severity and never suspends on behaviour alone: a person does, or hard evidence. Reviewing an
alert is an entry with the reviewer's name in it.
"""

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from guard.clock import DAY, HOUR, Clock, Micros
from guard.entries import EntryKind, NewEntry, OpenedEntry, event_by, system_event
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.findings import Finding, FindingKind, Severity
from guard.ledger.entry import open_entry
from guard.ports import Committer, DetailVault, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.rows import AlertRow, AlertState, OutboxItem, ResponseKind, ResponseRow
from guard.suspensions import Step, begin, end, principal_key
from guard.vault.pseudonyms import Pseudonyms
from policies.model import Role

LABELS = frozenset({"malicious", "policy_violation", "honest", "unknown"})
MAX_EVIDENCE = 200
MAX_NOTE = 4_000
_MAY_REVIEW = frozenset({Role.ANALYST, Role.ADMIN})
_MAY_READ = _MAY_REVIEW | {Role.AUDITOR}
_FINISHED = frozenset({AlertState.CONFIRMED, AlertState.DISMISSED})
# What a machine may do by itself, by severity, and for how long.
LADDER: dict[Severity, tuple[ResponseKind, Micros]] = {
    Severity.MEDIUM: (ResponseKind.NOTIFY, DAY),
    Severity.HIGH: (ResponseKind.MASK_MORE, 12 * HOUR),
    Severity.CRITICAL: (ResponseKind.EXPLAINED_ONLY, DAY),
}
_RUNGS = tuple(ResponseKind)
_SEVERITIES = tuple(Severity)
# Notices of what somebody did alone: the review of that ends them.
_REVIEWED = {
    FindingKind.BREAK_GLASS: "this alert ends with the review of its break-glass: review that",
    FindingKind.POLICY_ROLLBACK: "this alert ends with the review of the policy: approve that",
}
_FOR_PEOPLE = frozenset(
    {FindingKind.OUTLIER, FindingKind.RING, FindingKind.RECONCILIATION, *_REVIEWED}
)
_NEUTRAL = {
    ResponseKind.NOTIFY: "some of your recent views have no case behind them; please link cases",
    ResponseKind.MASK_MORE: "more fields are masked for you while a review is under way",
    ResponseKind.EXPLAINED_ONLY: (
        "for now you can view customers of your own cases; anything else waits for a review"
    ),
    ResponseKind.SUSPEND: "your access is suspended while a review is under way",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """What a reviewer changes; None leaves a thing as it is."""

    state: AlertState | None = None
    label: str | None = None
    note: str | None = None
    assignee: str | None = None


class Alerts:
    """Applies findings and serves reviewers."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        pseudonyms: Pseudonyms,
        vault: DetailVault,
    ) -> None:
        """Write through `committer`, read through `readers`, open evidence with `vault`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._pseudonyms, self._vault = pseudonyms, vault

    async def apply(self, worker: str, items: Sequence[OutboxItem]) -> int:
        """Apply a worker's findings, each once whatever crashes; how many were new."""

        def work(tx: Transaction) -> int:
            done = tx.rows.outbox_position(worker)
            fresh = [item for item in items if item.position > done]
            for item in fresh:
                self.notice(tx, item.tenant, item.finding)
            if fresh:
                tx.rows.put_outbox_position(worker, fresh[-1].position)
            return len(fresh)

        return await self._committer.run(work)

    def notice(self, tx: Transaction, tenant: str, finding: Finding) -> None:
        """Make an alert of a finding, or update the unfinished one of its matter, within `tx`."""
        now = self._clock.now()
        old = tx.rows.unfinished_alert(tenant, finding.key)
        names = tuple(self._pseudonyms.pseudonym(tenant, a) for a in finding.agent_ids)
        if old is None:
            row = AlertRow(
                id=f"alr-{now:016x}-{secrets.token_hex(4)}",
                tenant=tenant,
                key=finding.key,
                state=AlertState.OPEN,
                severity=finding.severity,
                finding=finding,
                pseudonyms=names,
                raised_at=now,
                updated_at=now,
                label=None,
                assignee=None,
                note=None,
            )
        else:
            row = dataclasses.replace(
                old,
                finding=finding,
                pseudonyms=names,
                severity=max(old.severity, finding.severity, key=_SEVERITIES.index),
                updated_at=now,
            )
        tx.rows.put_alert(row)
        event = system_event(
            tenant,
            EntryKind.ALERT,
            now,
            {
                "alert": row.id,
                "key": row.key,
                "severity": row.severity.value,
                "score": round(finding.score, 6),
                "state": row.state.value,
                "channels": list(finding.channels),
                "agents": list(finding.agent_ids),
            },
        )
        tx.record(NewEntry(kind=EntryKind.ALERT, event=event))
        worsened = old is None or _SEVERITIES.index(row.severity) > _SEVERITIES.index(old.severity)
        self._respond(tx, row, worsened=worsened)

    def _respond(self, tx: Transaction, alert: AlertRow, *, worsened: bool) -> None:
        """Climb the ladder for each agent of the alert, unless it is there or higher already.

        What a person lifted stays lifted until the matter worsens. A ring names people whom only
        the others' behaviour points to, and a second opinion nobody: both wait for a person.
        """
        finding = alert.finding
        rung = LADDER.get(finding.severity)
        if finding.is_hard:
            rung = (ResponseKind.SUSPEND, DAY)
        if rung is None or finding.kind in _FOR_PEOPLE:
            return
        kind, life = rung
        now = self._clock.now()
        for agent_id in finding.agent_ids:
            target = tx.rows.principal(alert.tenant, agent_id)
            if target is None:
                continue
            key = principal_key(target)
            held = tx.rows.responses(alert.tenant, key=key, active_at=None)
            if any(_settles(r, kind, alert, now, worsened=worsened) for r in held):
                continue
            step = Step(
                agent_id=agent_id,
                kind=kind,
                ends_at=now + life,
                reason=_NEUTRAL[kind],
                alert_id=alert.id,
            )
            begin(tx, target, step, system_event(alert.tenant, EntryKind.RESPONSE, now, {}))

    async def page(
        self,
        principal: Principal,
        *,
        states: frozenset[AlertState],
        before: str | None,
        limit: int,
    ) -> list[AlertRow]:
        """A page of alerts, newest first, without those about the caller.

        Raises:
            AccessDeniedError: The role may not read alerts.
        """
        _require(principal, _MAY_READ)
        rows = await self._readers.read(
            lambda view: view.alerts(principal.tenant, states=states, before=before, limit=limit)
        )
        return [row for row in rows if _may_see(principal, row)]

    async def get(self, principal: Principal, alert_id: str) -> AlertRow:
        """One alert.

        Raises:
            AccessDeniedError: The role may not read alerts.
            NotFoundError: There is none of that id that the caller may see.
        """
        _require(principal, _MAY_READ)
        row = await self._readers.read(lambda view: view.alert(principal.tenant, alert_id))
        return _found(principal, row)

    async def evidence(self, principal: Principal, alert_id: str) -> list[OpenedEntry]:
        """The entries that raised an alert, oldest first, at most `MAX_EVIDENCE`.

        Raises:
            AccessDeniedError: The role may not read alerts.
            NotFoundError: There is none of that id that the caller may see.
        """
        alert = await self.get(principal, alert_id)
        wanted = alert.finding.evidence[-MAX_EVIDENCE:]

        def look(view: ReadView) -> list[OpenedEntry]:
            stored = [e for i in wanted for e in view.entries(i, 1) if e.index == i]
            refs = {ref for e in stored for ref in e.refs}
            subjects = view.subjects(refs)
            opened = [open_entry(e, self._vault, subjects) for e in stored]
            return [e for e in opened if e.event.tenant == principal.tenant]

        return await self._readers.read(look)

    async def change(self, principal: Principal, alert_id: str, change: AlertChange) -> AlertRow:
        """Review an alert. Dismissing ends what the machine did because of it.

        Raises:
            AccessDeniedError: The role may not review.
            NotFoundError: There is none of that id that the caller may see.
            ConflictError: It is finished already.
            InvalidRequestError: The label is unknown, or a dismissal has no note.
        """
        _require(principal, _MAY_REVIEW)
        _check(change)

        def work(tx: Transaction) -> AlertRow:
            row = _found(principal, tx.rows.alert(principal.tenant, alert_id))
            if row.state in _FINISHED:
                raise ConflictError("this alert is finished: a new finding opens a new one")
            _check_reviewed(tx, row, change)
            now = self._clock.now()
            new = dataclasses.replace(
                row,
                state=change.state or row.state,
                label=change.label or row.label,
                note=change.note or row.note,
                assignee=change.assignee or row.assignee,
                updated_at=now,
            )
            tx.rows.put_alert(new)
            event = msgspec.structs.replace(
                event_by(principal, EntryKind.LABEL, now),
                body={
                    "alert": row.id,
                    "state": new.state.value,
                    "label": new.label or "",
                    "agents": list(row.finding.agent_ids),
                },
            )
            tx.record(NewEntry(kind=EntryKind.LABEL, event=event))
            if new.state is AlertState.DISMISSED:
                self._undo(tx, principal, new)
            return new

        return await self._committer.run(work)

    def settle(self, tx: Transaction, by: Principal, key: str, change: AlertChange) -> None:
        """Finish the alert of a matter within `tx`, as the review of that matter came out.

        It is no label: what a review says of one act must not clear an agent of all others.
        """
        row = tx.rows.unfinished_alert(by.tenant, key)
        if row is None or change.state is None:
            return
        now = self._clock.now()
        tx.rows.put_alert(
            dataclasses.replace(
                row, state=change.state, label=change.label, note=change.note, updated_at=now
            )
        )
        event = msgspec.structs.replace(
            event_by(by, EntryKind.ALERT, now),
            body={"alert": row.id, "key": key, "state": change.state.value},
        )
        tx.record(NewEntry(kind=EntryKind.ALERT, event=event))

    def _undo(self, tx: Transaction, principal: Principal, alert: AlertRow) -> None:
        now = self._clock.now()
        for row in tx.rows.responses(alert.tenant, key=None, active_at=now):
            if row.alert_id == alert.id and row.kind is not ResponseKind.SUSPEND:
                end(tx, row, event_by(principal, EntryKind.RESPONSE, now))


def _settles(
    response: ResponseRow, kind: ResponseKind, alert: AlertRow, now: Micros, *, worsened: bool
) -> bool:
    """Whether an earlier response leaves nothing to do: as hard and in force, or lifted by hand."""
    if _RUNGS.index(response.kind) < _RUNGS.index(kind):
        return False
    if response.ended_at is None:
        return response.ends_at > now
    return response.alert_id == alert.id and not worsened


def _check_reviewed(tx: Transaction, row: AlertRow, change: AlertChange) -> None:
    """What is reviewed is finished by its review alone, and by nobody of the agent's own line."""
    instead = _REVIEWED.get(row.finding.kind)
    if instead is None:
        return
    if change.state in _FINISHED:
        raise ConflictError(instead)
    people = (tx.rows.principal(row.tenant, agent) for agent in row.finding.agent_ids)
    if any(who is not None and change.assignee in who.line for who in people):
        raise AccessDeniedError("the `assignee` stands in the agent's own line: choose another")


def _require(principal: Principal, roles: frozenset[Role]) -> None:
    if principal.role not in roles:
        raise AccessDeniedError("an analyst, auditor or administrator works with alerts")


def _may_see(principal: Principal, row: AlertRow) -> bool:
    return principal.id not in row.finding.agent_ids


def _found(principal: Principal, row: AlertRow | None) -> AlertRow:
    if row is None or not _may_see(principal, row):
        raise NotFoundError("no such alert")
    return row


def _check(change: AlertChange) -> None:
    if change.label is not None and change.label not in LABELS:
        raise InvalidRequestError("`label` must be one of " + ", ".join(sorted(LABELS)))
    if change.note is not None and len(change.note) > MAX_NOTE:
        raise InvalidRequestError(f"a note has at most {MAX_NOTE} characters")
    if change.state is AlertState.OPEN:
        raise InvalidRequestError("an alert is not opened by hand")
    if change.state is AlertState.DISMISSED and not (change.note or "").strip():
        raise InvalidRequestError("say in `note` what explains the views before dismissing")
