"""Makers of rows and entries with sensible defaults, so that a test names only what it is about."""

from typing import Any

from guard.clock import Micros, from_rfc3339
from guard.entries import EntryKind, EventPart, NewEntry, SubjectPart
from guard.findings import Finding, FindingKind, Severity
from guard.principals import Shift
from guard.rows import (
    AlertRow,
    AlertState,
    AssignmentRow,
    CaseRow,
    ModeRow,
    PrincipalRow,
    ResponseKind,
    ResponseRow,
    SituationQuery,
    SubjectRow,
    WorkListRow,
)
from policies.model import (
    ActorKind,
    Budget,
    BudgetKey,
    Measure,
    Mode,
    Purpose,
    Role,
    Tier,
    Window,
)

NOON: Micros = from_rfc3339("2026-11-18T12:00:00Z")

TENANT = "acme"


def make_principal(principal_id: str = "a1", **changes: Any) -> PrincipalRow:  # noqa: ANN401 - any field
    """An agent in the directory."""
    values: dict[str, Any] = {
        "id": principal_id,
        "tenant": TENANT,
        "region": "eu",
        "vendor": "vend",
        "site": "site-1",
        "team": "team-1",
        "line": ("lead-1", "manager-1"),
        "role": Role.AGENT,
        "kind": ActorKind.HUMAN,
        "shift": Shift(tz="Europe/Berlin", start=540, end=1020, days=frozenset({1, 2, 3, 4, 5})),
    }
    return PrincipalRow(**values | changes)


def make_subject(ref: str = "c1", **changes: Any) -> SubjectRow:  # noqa: ANN401 - any field
    """A customer known to the broker."""
    values: dict[str, Any] = {
        "ref": ref,
        "tenant": TENANT,
        "region": "eu",
        "source": "crm",
        "key_blind": f"blind-{ref}".encode(),
        "sealed_key": b"sealed",
        "bucket": "b0",
        "wrapped_key": b"wrapped",
        "next_n": 0,
        "tier": Tier.STANDARD,
        "is_decoy": False,
    }
    return SubjectRow(**values | changes)


def make_case(case_id: str = "k1", **changes: Any) -> CaseRow:  # noqa: ANN401 - any field
    """An open case."""
    values: dict[str, Any] = {
        "id": case_id,
        "tenant": TENANT,
        "ref": "c1",
        "channel": "phone",
        "opened_at": NOON - 10,
        "opened_by": None,
        "closed_at": None,
    }
    return CaseRow(**values | changes)


def make_assignment(case_id: str = "k1", **changes: Any) -> AssignmentRow:  # noqa: ANN401 - any field
    """A live assignment."""
    values: dict[str, Any] = {
        "case_id": case_id,
        "tenant": TENANT,
        "agent_id": "a1",
        "how": "inbound",
        "from_at": NOON - 5,
        "to_at": None,
    }
    return AssignmentRow(**values | changes)


def make_work_list(list_id: str = "w1", **changes: Any) -> WorkListRow:  # noqa: ANN401 - any field
    """An approved work list that is in force."""
    values: dict[str, Any] = {
        "id": list_id,
        "tenant": TENANT,
        "team": "team-1",
        "campaign": "spring",
        "purpose": Purpose.OUTREACH,
        "starts_at": NOON - 100,
        "ends_at": NOON + 100,
        "proposed_by": "lead-1",
        "approved_by": "manager-2",
        "size": 1,
        "lapses_at": NOON + 50,
    }
    return WorkListRow(**values | changes)


def make_mode(mode_id: str = "m1", **changes: Any) -> ModeRow:  # noqa: ANN401 - any field
    """An approved mode for the whole tenant."""
    values: dict[str, Any] = {
        "id": mode_id,
        "tenant": TENANT,
        "vendor": "",
        "team": "",
        "purpose": "",
        "mode": Mode.OBSERVE,
        "proposed_by": "admin-1",
        "proposed_at": NOON,
        "approved_by": "admin-2",
        "approved_at": NOON,
    }
    return ModeRow(**values | changes)


def make_alert(alert_id: str = "01", **changes: Any) -> AlertRow:  # noqa: ANN401 - any field
    """An open alert."""
    finding = Finding(
        key="agent:a1",
        kind=FindingKind.AGENT,
        raised_at=NOON,
        first_event_at=NOON - 9,
        agent_ids=("a1",),
        score=9.25,
        severity=Severity.HIGH,
        channels=("unexplained",),
        reasons=("17 of 20 views have no case",),
        contributions=(("unexplained", 1.0),),
        evidence=(3, 4),
    )
    values: dict[str, Any] = {
        "id": alert_id,
        "tenant": TENANT,
        "key": "agent:a1",
        "state": AlertState.OPEN,
        "severity": Severity.HIGH,
        "finding": finding,
        "pseudonyms": ("grey heron",),
        "raised_at": NOON,
        "updated_at": NOON,
        "label": None,
        "assignee": None,
        "note": None,
    }
    return AlertRow(**values | changes)


def make_response(response_id: str = "r1", **changes: Any) -> ResponseRow:  # noqa: ANN401 - any field
    """A suspension that is in force for an hour."""
    values: dict[str, Any] = {
        "id": response_id,
        "tenant": TENANT,
        "key": "agent:acme/a1",
        "kind": ResponseKind.SUSPEND,
        "alert_id": None,
        "by": "analyst-1",
        "reason": "under review",
        "starts_at": NOON,
        "ends_at": NOON + 3_600_000_000,
        "ended_at": None,
        "contested": None,
    }
    return ResponseRow(**values | changes)


def make_query(**changes: Any) -> SituationQuery:  # noqa: ANN401 - any field
    """What the broker asks about agent `a1` and customer `c1`."""
    values: dict[str, Any] = {
        "tenant": TENANT,
        "agent_id": "a1",
        "actor_id": None,
        "keys": ("agent:acme/a1",),
        "vendor": "vend",
        "team": "team-1",
        "purpose": "support_case",
        "ref": "c1",
        "case_id": "k1",
        "at": NOON,
    }
    return SituationQuery(**values | changes)


def make_budget(name: str = "views-day", **changes: Any) -> Budget:  # noqa: ANN401 - any field
    """A budget on views of the rolling day."""
    values: dict[str, Any] = {
        "name": name,
        "measure": Measure.VIEWS,
        "key": BudgetKey.AGENT,
        "window": Window.DAY,
        "limit": 3,
        "kind": None,
        "purpose": None,
        "by_risk": {},
    }
    return Budget(**values | changes)


def make_entry(kind: EntryKind = EntryKind.VIEW, *refs: str, **changes: Any) -> NewEntry:  # noqa: ANN401 - any field
    """An entry about agent `a1`, and the customers in `refs`."""
    values: dict[str, Any] = {
        "at": NOON,
        "kind": kind.name.lower(),
        "tenant": TENANT,
        "agent": "a1",
        "vendor": "vend",
        "team": "team-1",
        "line": ("lead-1",),
        "purpose": "support_case",
    }
    return NewEntry(
        kind=kind,
        event=EventPart(**values | changes),
        subjects=tuple(SubjectPart(customer=ref) for ref in refs),
    )
