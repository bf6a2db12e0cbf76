"""Alerts and their evidence, pseudonyms first.

Names are shown once an analyst has confirmed the alert, which is an entry of the log; until then
every place where an agent's id could stand holds its pseudonym or nothing.
"""

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from api.schemas.words import Answer, Body, Ident, Prose, When
from guard.entries import OpenedEntry
from guard.rows import AlertRow, AlertState

UNKNOWN = "—"


class AlertOut(Answer):
    """An alert, as its reviewer sees it."""

    id: str
    kind: str
    state: str
    severity: str
    score: float
    raised_at: When
    updated_at: When
    first_event_at: When
    agents: list[str] = Field(description="Pseudonyms, or ids once the alert is confirmed.")
    names_shown: bool
    channels: list[str]
    reasons: list[str]
    contributions: dict[str, float]
    explained_by: list[str]
    evidence: list[int]
    hard: bool
    label: str | None
    assignee: str | None
    note: str | None

    @classmethod
    def of(cls, row: AlertRow) -> "AlertOut":
        """Describe an alert, without names unless it is confirmed."""
        names, finding = names_of(row), row.finding
        return cls(
            id=row.id,
            kind=finding.kind.value,
            state=row.state.value,
            severity=row.severity.value,
            score=finding.score,
            raised_at=row.raised_at,
            updated_at=row.updated_at,
            first_event_at=finding.first_event_at,
            agents=[names[agent] for agent in finding.agent_ids],
            names_shown=shows_names(row),
            channels=list(finding.channels),
            reasons=[without_names(text, names) for text in finding.reasons],
            contributions=dict(finding.contributions),
            explained_by=[without_names(text, names) for text in finding.explained_by],
            evidence=list(finding.evidence),
            hard=finding.is_hard,
            label=row.label,
            assignee=row.assignee,
            note=row.note,
        )


class AlertPageOut(Answer):
    """A page of alerts, newest first."""

    alerts: list[AlertOut]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class AlertPatch(Body):
    """What a reviewer changes."""

    state: Literal["acknowledged", "confirmed", "dismissed"] | None = None
    label: Literal["malicious", "policy_violation", "honest", "unknown"] | None = None
    note: Prose | None = None
    assignee: Ident | None = None


class EntryOut(Answer):
    """An entry of the log, opened. `customers` are references; an erased one is null.

    `late_link` is the grade of a view whose case came late, beside the original `link`.
    """

    index: int
    entry_id: str
    kind: str
    at: When
    agent: str
    actor: str
    team: str
    purpose: str
    link: str
    outcome: str
    mode: str
    would: str
    classes: dict[str, str]
    reasons: list[str]
    customers: list[str | None]
    cases: list[str | None]
    late_link: str | None = None

    @classmethod
    def of(
        cls,
        entry: OpenedEntry,
        names: Mapping[str, str] | None = None,
        late_link: str | None = None,
    ) -> "EntryOut":
        """Describe an entry; with `names`, agents that it does not hold stay unnamed."""
        event = entry.event

        def show(agent: str) -> str:
            return agent if names is None or not agent else names.get(agent, UNKNOWN)

        return cls(
            index=entry.index,
            entry_id=entry.entry_id,
            kind=entry.kind.name.lower(),
            at=event.at,
            agent=show(event.agent),
            actor=show(event.actor),
            team=event.team,
            purpose=event.purpose,
            link=event.link,
            outcome=event.outcome,
            mode=event.mode,
            would=event.would,
            classes=event.classes,
            reasons=list(event.reasons),
            customers=[None if s is None else s.customer for s in entry.subjects],
            cases=[None if s is None else s.case for s in entry.subjects],
            late_link=late_link,
        )


class EvidenceOut(Answer):
    """The entries that raised an alert, oldest first."""

    entries: list[EntryOut]


def shows_names(row: AlertRow) -> bool:
    """Whether an alert's agents are named."""
    return row.state is AlertState.CONFIRMED


def names_of(row: AlertRow) -> dict[str, str]:
    """What to call each agent of an alert."""
    ids = row.finding.agent_ids
    return dict(zip(ids, ids if shows_names(row) else row.pseudonyms, strict=True))


def without_names(text: str, names: Mapping[str, str]) -> str:
    """Put what an agent is called in place of its id, as a whole word."""
    for agent, name in names.items():
        text = re.sub(rf"(?<!\w){re.escape(agent)}(?!\w)", lambda _, n=name: n, text)  # type: ignore[misc] # the default binds the loop's value
    return text
