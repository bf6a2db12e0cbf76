"""Answering for a broken glass, on both engines."""

import asyncio
from dataclasses import replace

import pytest

from guard.break_glass import GlassState, ReviewOutcome
from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.rows import AlertState
from tests.contracts.guard.break_glass.glass import (
    ELSEWHERE,
    LEAD,
    alerts,
    done,
    grants,
    make_put,
    staffed,
)
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("outcome", "state", "label"),
    [
        (ReviewOutcome.JUSTIFIED, AlertState.DISMISSED, "honest"),
        (ReviewOutcome.UNJUSTIFIED, AlertState.CONFIRMED, "policy_violation"),
    ],
)
async def test_a_review_finishes_the_alert_and_is_no_label(
    rig: Rig, outcome: ReviewOutcome, state: AlertState, label: str
) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await done(rig, ref)
    (waiting,) = await rig.break_glass.page(AUDITOR, GlassState.UNREVIEWED)
    assert waiting.agent.startswith("agent-")
    reviewed = await rig.break_glass.review(ELSEWHERE, row.id, outcome, "listened to the call")
    assert (reviewed.row.reviewed_by, reviewed.row.outcome) == ("lead-9", outcome.value)
    assert await rig.break_glass.page(AUDITOR, GlassState.UNREVIEWED) == []
    (alert,) = await alerts(rig)
    assert (alert.state, alert.label, alert.note) == (state, label, None)
    log = rig.log()
    assert EntryKind.LABEL not in {entry.kind for entry in log}
    entry = grants(rig)[-1]
    assert (entry.event.agent, entry.event.body["outcome"]) == ("lead-9", outcome.value)
    part = entry.subjects[0]
    assert part is not None
    assert part.reason == "listened to the call"
    with pytest.raises(ConflictError):
        await rig.break_glass.review(ELSEWHERE, row.id, outcome, "again")


async def test_who_is_too_close_or_too_early_reviews_nothing(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    outcome = ReviewOutcome.JUSTIFIED
    with pytest.raises(ConflictError, match="still open"):
        await rig.break_glass.review(ANALYST, row.id, outcome, "n")
    rig.clock.advance(DAY)
    for nobody in (LEAD, AGENT, AUDITOR, replace(ANALYST, actor="bot-1")):
        with pytest.raises(AccessDeniedError):
            await rig.break_glass.review(nobody, row.id, outcome, "n")
    with pytest.raises(NotFoundError):
        await rig.break_glass.review(ANALYST, "glass-none", outcome, "n")
    for note in (" ", "x" * 2_001):
        with pytest.raises(InvalidRequestError):
            await rig.break_glass.review(ANALYST, row.id, outcome, note)
    with pytest.raises(AccessDeniedError):
        await rig.break_glass.page(AGENT, GlassState.OPEN)


async def test_of_two_reviews_at_once_one_wins(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await done(rig, ref)
    asked = (
        rig.break_glass.review(who, row.id, ReviewOutcome.JUSTIFIED, "n")
        for who in (ANALYST, SECOND)
    )
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1
