"""Rows of alerts, responses, modes and policies in force."""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros
from guard.findings import Finding, Severity
from policies.model import Mode


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
