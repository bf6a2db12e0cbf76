"""The mandatory review: somebody outside the agent's line says whether it was justified."""

import dataclasses

from guard.after_reviews import glass_key
from guard.alerts import AlertChange
from guard.break_glass.reading import may_know, shown
from guard.break_glass.terms import (
    MAX_TEXT,
    Glass,
    Parts,
    ReviewOutcome,
    found,
    no_such,
    record,
    require,
)
from guard.entries import EntryKind, event_by
from guard.errors import ConflictError, InvalidRequestError
from guard.ports import Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import AlertState, GrantRow
from policies.model import Role

_MAY_REVIEW = frozenset({Role.LEAD, Role.MANAGER, Role.ANALYST, Role.ADMIN})


async def review(
    parts: Parts, principal: Principal, grant_id: str, outcome: ReviewOutcome, note: str
) -> Glass:
    """See `BreakGlass.review`."""
    require(principal, _MAY_REVIEW, "review a break-glass")
    if not note.strip() or len(note) > MAX_TEXT:
        raise InvalidRequestError(f"say in `note` what you found, in 1 to {MAX_TEXT} letters")

    def work(tx: Transaction) -> GrantRow:
        row = found(tx.rows, principal, grant_id)
        if not may_know(tx.rows, principal, row):
            raise no_such()
        if row.reviewed_by is not None:
            raise ConflictError("this break-glass is reviewed already")
        agent = tx.rows.principal(row.tenant, row.agent_id)
        require_second_person(agent, principal, whose="agent")
        at = max(parts.clock.now(), tx.rows.newest_at())
        if row.ends_at > at:
            raise ConflictError("this break-glass is still open: review it when it has ended")
        reviewed = dataclasses.replace(
            row, reviewed_by=principal.id, reviewed_at=at, outcome=outcome.value
        )
        tx.rows.put_grant(reviewed)
        event = event_by(principal, EntryKind.GRANT, at)
        record(tx, event, reviewed, "reviewed", (None, note))
        parts.alerts.settle(tx, principal, glass_key(row), _settled(outcome))
        return reviewed

    row = await parts.committer.run(work)
    return shown(parts, principal, row, parts.clock.now())


def _settled(outcome: ReviewOutcome) -> AlertChange:
    """How a review leaves the alert; the note stays sealed with the entry."""
    if outcome is ReviewOutcome.JUSTIFIED:
        return AlertChange(state=AlertState.DISMISSED, label="honest")
    return AlertChange(state=AlertState.CONFIRMED, label="policy_violation")
