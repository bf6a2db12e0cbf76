"""What detectors say: findings, which the broker makes into alerts.

A finding is complete in itself: plain sentences with numbers, the evidence by position, and
contributions that sum to 1, so that an investigator can check it in the ledger.
"""

from dataclasses import dataclass
from enum import StrEnum

from guard.clock import Micros


class FindingKind(StrEnum):
    """What a finding is about."""

    AGENT = "agent"
    RING = "ring"
    OUTLIER = "outlier"
    DECOY = "decoy"
    BREAK_GLASS = "break_glass"
    POLICY_ROLLBACK = "policy_rollback"
    RECONCILIATION = "reconciliation"


class Severity(StrEnum):
    """How soon somebody should look."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a detector noticed.

    `key` is stable for the same matter, so that repeats update instead of multiply. `score` is
    fine-grained and on one scale for all kinds: minus the natural logarithm of the chance that an
    honest agent-day looks like this. `evidence` holds positions of the raising events, oldest
    first; `contributions` maps channel to its share and sums to 1; `explained_by` says what would
    have explained the views. `is_hard` marks evidence on which a machine may suspend. `unplaced`
    holds ids of entries that had no position yet; who reads an alert finds them in `evidence`.
    """

    key: str
    kind: FindingKind
    raised_at: Micros
    first_event_at: Micros
    agent_ids: tuple[str, ...]
    score: float
    severity: Severity
    channels: tuple[str, ...]
    reasons: tuple[str, ...]
    contributions: tuple[tuple[str, float], ...]
    evidence: tuple[int, ...]
    explained_by: tuple[str, ...] = ()
    is_hard: bool = False
    unplaced: tuple[str, ...] = ()
