"""What one person did alone and a second one must look at afterwards: told when it is overdue.

A broken glass and a policy that was rolled back both have `REVIEW_WITHIN` for their review. From
then on an alert of high severity lies with the analysts until the review is done, and the same
thing is not done again: no next break-glass of the same agent, no next rollback in the tenant.
"""

import dataclasses
from dataclasses import dataclass

from guard.alerts import Alerts
from guard.clock import HOUR, Clock, Micros
from guard.findings import Finding, FindingKind, Severity
from guard.ports import Committer, Readers, ReadView, Transaction
from guard.rows import ActivationRow, GrantKind, GrantRow

# Over a weekend somebody must find the time.
REVIEW_WITHIN: Micros = 72 * HOUR
# What one turn looks at; more overdue reviews than that are told when these are done.
MAX_TOLD = 500
OVERDUE = f"its review is overdue: it was due within {REVIEW_WITHIN // HOUR} hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """How many reviews are overdue, at most `MAX_TOLD` of each."""

    break_glass: int
    rollbacks: int


def is_glass_overdue(row: GrantRow, at: Micros) -> bool:
    """Whether a break-glass has waited too long for its review."""
    return row.reviewed_at is None and row.ends_at + REVIEW_WITHIN <= at


def is_rollback_overdue(row: ActivationRow, at: Micros) -> bool:
    """Whether a policy that one person went back to has waited too long for its review."""
    return row.review_due and (row.activated_at or 0) + REVIEW_WITHIN <= at


def glass_key(row: GrantRow) -> str:
    """The matter of one break-glass, for its alert."""
    return f"break_glass:{row.id}"


def rollback_key(row: ActivationRow) -> str:
    """The matter of one rollback, for its alert."""
    return f"policy_rollback:{row.id}"


class AfterReviews:
    """Tells of reviews that are overdue, each once."""

    def __init__(
        self, committer: Committer, readers: Readers, clock: Clock, alerts: Alerts
    ) -> None:
        """Look through `readers`, raise through `alerts` and `committer`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._alerts = alerts

    async def tell(self) -> Overdue:
        """Raise the alerts that are missing; what is overdue right now."""
        until = self._clock.now() - REVIEW_WITHIN
        overdue, untold = await self._readers.read(lambda view: _untold(view, until))

        def work(tx: Transaction) -> None:
            for tenant, finding in _untold(tx.rows, until)[1]:
                self._alerts.notice(tx, tenant, finding)

        if untold:
            await self._committer.run(work)
        return overdue


def _untold(view: ReadView, until: Micros) -> tuple[Overdue, list[tuple[str, Finding]]]:
    """What has waited since `until`, and what of it no alert tells yet, by tenant."""
    grants = view.overdue_grants(GrantKind.BREAK_GLASS, until, MAX_TOLD)
    rollbacks = view.overdue_rollbacks(until, MAX_TOLD)
    found = [(row.tenant, _of_glass(view, row)) for row in grants]
    found += [(row.tenant, _of_rollback(view, row)) for row in rollbacks]
    overdue = Overdue(break_glass=len(grants), rollbacks=len(rollbacks))
    return overdue, [(tenant, finding) for tenant, finding in found if finding is not None]


def _of_glass(view: ReadView, row: GrantRow) -> Finding | None:
    """The notice that lies there since the glass was broken, made more urgent; None: it is."""
    old = view.unfinished_alert(row.tenant, glass_key(row))
    if old is None or OVERDUE in old.finding.reasons:
        return None
    reasons = (*old.finding.reasons, OVERDUE)
    return dataclasses.replace(old.finding, severity=Severity.HIGH, reasons=reasons)


def _of_rollback(view: ReadView, row: ActivationRow) -> Finding | None:
    """A notice, no suspicion, so its score is nothing; None: it lies there already."""
    if view.unfinished_alert(row.tenant, rollback_key(row)) is not None:
        return None
    at = row.activated_at or 0
    return Finding(
        key=rollback_key(row),
        kind=FindingKind.POLICY_ROLLBACK,
        raised_at=at + REVIEW_WITHIN,
        first_event_at=at,
        agent_ids=(row.proposed_by,),
        score=0.0,
        severity=Severity.HIGH,
        channels=("policy_rollback",),
        reasons=(f"one person went back to policy {row.digest[:12]}", OVERDUE),
        contributions=(("policy_rollback", 1.0),),
        evidence=(),
        explained_by=("a second person's review of it ends this",),
    )
