"""Opened entries and alerts for the tests of the exports."""

import msgspec

from guard.entries import Charge, EntryKind, EventPart, SubjectPart
from guard.exports import ExportRow, Source
from guard.findings import Finding, FindingKind, Severity
from guard.rows import AlertRow, AlertState

AT = 1_764_000_000_123_456
SOURCE = Source(origin="example.com/log", version="0.1.0")


def make_event(outcome: str = "permitted") -> EventPart:
    return EventPart(
        at=AT,
        kind="view",
        tenant="acme",
        agent="u-17",
        region="eu",
        vendor="vend",
        site="north",
        team="returns",
        line=("lead-1",),
        actor="ai-1",
        client="desk",
        role="agent",
        session="s-1",
        device="d-1",
        purpose="support_case",
        link="owner",
        tier="standard",
        classes={"contact": "mask", "name": "plain"},
        n_fields=5,
        n_sensitive=1,
        facts_id="f" * 16,
        bundle="b" * 64,
        mode="enforce",
        would="permit",
        outcome=outcome,
        reasons=("one", "two"),
        determined_by=("p1",),
        charges=(Charge("agent:acme/u-17", "views", 1),),
        body={"pages": [1, 2], "why": "x"},
    )


def make_row(
    kind: EntryKind = EntryKind.VIEW,
    outcome: str = "permitted",
    subjects: tuple[SubjectPart | None, ...] = (
        SubjectPart(customer="c1", case="case-1", reason="call"),
        None,
    ),
) -> ExportRow:
    return row_of(make_event(outcome), kind=kind, subjects=subjects)


def row_of(
    event: EventPart,
    *,
    index: int = 7,
    kind: EntryKind = EntryKind.VIEW,
    subjects: tuple[SubjectPart | None, ...] = (),
) -> ExportRow:
    return ExportRow(
        index=index,
        entry_id=f"{index:032x}",
        kind=kind,
        at=event.at,
        part=msgspec.json.encode(event),
        refs=tuple(
            f"c{n}" if part is None else part.customer for n, part in enumerate(subjects, 1)
        ),
        parts=tuple(None if part is None else msgspec.json.encode(part) for part in subjects),
    )


def make_alert(state: AlertState = AlertState.OPEN) -> AlertRow:
    finding = Finding(
        key="k",
        kind=FindingKind.RING,
        raised_at=AT,
        first_event_at=AT - 10**9,
        agent_ids=("u-17", "u-18"),
        score=12.5,
        severity=Severity.CRITICAL,
        channels=("unexplained", "rings"),
        reasons=("69 of 80 views had nothing to explain them.", "They share 40 customers."),
        contributions=(("unexplained", 0.75), ("rings", 0.25)),
        evidence=(7, 9),
    )
    return AlertRow(
        id="al-1",
        tenant="acme",
        key="k",
        state=state,
        severity=Severity.CRITICAL,
        finding=finding,
        pseudonyms=("agent-7f3k-0000", "agent-9m2q-0000"),
        raised_at=AT,
        updated_at=AT + 5,
        label=None,
        assignee=None,
        note="a note about u-17",
    )
