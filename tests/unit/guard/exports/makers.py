"""Opened entries and alerts for the tests of the exports."""

from guard.entries import Charge, EntryKind, EventPart, OpenedEntry, SubjectPart
from guard.findings import Finding, FindingKind, Severity
from guard.rows import AlertRow, AlertState

AT = 1_764_000_000_123_456


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


def make_opened(
    kind: EntryKind = EntryKind.VIEW,
    outcome: str = "permitted",
    subjects: tuple[SubjectPart | None, ...] = (
        SubjectPart(customer="c1", case="case-1", reason="call"),
        None,
    ),
) -> OpenedEntry:
    return OpenedEntry(
        index=7,
        entry_id="ab" * 16,
        kind=kind,
        event=make_event(outcome),
        refs=tuple(f"c{n}" for n in range(1, len(subjects) + 1)),
        subjects=subjects,
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
