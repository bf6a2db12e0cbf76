"""Reviews that are overdue are told once and stop the next of the same, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.after_reviews import OVERDUE, REVIEW_WITHIN, AfterReviews, Overdue
from guard.alerts import AlertChange
from guard.break_glass import ReviewOutcome
from guard.clock import DAY, ManualClock
from guard.entries import EntryKind
from guard.errors import ConflictError
from guard.findings import FindingKind, Severity
from guard.rows import ActivationRow, AlertRow, AlertState
from guard.store import SqlStore
from tests.contracts.guard.break_glass.glass import alerts, done, staffed
from tests.support.people import ANALYST, SECOND, put_people
from tests.support.policy_bundles import SMALL_CEDAR, small_files
from tests.support.rig import Rig, make_caller, open_rig, row_of

pytestmark = pytest.mark.anyio

# Neither the one who goes back nor anybody of that line sees an alert about it.
THIRD = make_caller("cat", role=ANALYST.role, team="security-3", line=("cfo",))
NONE = Overdue(break_glass=0, rollbacks=0)


@pytest.fixture
def rig(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path, small_files()) as opened:
        yield opened


def reviews(rig: Rig) -> AfterReviews:
    return AfterReviews(rig.committer, rig.readers, rig.clock, rig.alerts)


async def rolled_back(rig: Rig, n: int = 1) -> ActivationRow:
    """Several policies, one after the other, and one step back by one person."""
    for step in range(n):
        files = small_files(cedar=SMALL_CEDAR + f"\n// {step}\n")
        row = await rig.activations.propose(ANALYST, files, "fewer fields")
        await rig.activations.approve(SECOND, row.id)
        await rig.activations.activate(ANALYST, row.id)
    return await rig.activations.rollback(ANALYST, "desks stand still")


def wait(rig: Rig, back: ActivationRow) -> None:
    """Until the review is overdue, to the microsecond."""
    assert back.activated_at is not None
    rig.clock.advance(back.activated_at + REVIEW_WITHIN - rig.clock.now())


async def told(rig: Rig) -> list[AlertRow]:
    return await rig.alerts.page(THIRD, states=frozenset(AlertState), before=None, limit=9)


async def test_an_overdue_break_glass_makes_its_alert_urgent_once(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await done(rig, ref)
    rig.clock.advance(REVIEW_WITHIN - 1)
    assert await reviews(rig).tell() == NONE
    rig.clock.advance(1)
    for _ in range(2):
        assert await reviews(rig).tell() == Overdue(break_glass=1, rollbacks=0)
    (alert,) = await alerts(rig)
    assert (alert.severity, alert.finding.reasons.count(OVERDUE)) == (Severity.HIGH, 1)
    assert [e.kind for e in rig.log()].count(EntryKind.ALERT) == 2
    assert await rig.suspensions.active(ANALYST, None) == []
    await rig.break_glass.review(ANALYST, row.id, ReviewOutcome.JUSTIFIED, "heard the call")
    assert await reviews(rig).tell() == NONE
    assert (await alerts(rig))[0].state is AlertState.DISMISSED


async def test_an_overdue_rollback_is_an_alert_that_its_review_alone_ends(rig: Rig) -> None:
    await put_people(rig)
    await rig.directory.put(make_caller("hr"), [row_of(THIRD)])
    back = await rolled_back(rig)
    wait(rig, back)
    for _ in range(2):
        assert await reviews(rig).tell() == Overdue(break_glass=0, rollbacks=1)
    (alert,) = await told(rig)
    assert (alert.finding.kind, alert.severity) == (FindingKind.POLICY_ROLLBACK, Severity.HIGH)
    assert (alert.finding.score, alert.finding.agent_ids) == (0.0, ("ana",))
    change = AlertChange(state=AlertState.DISMISSED, note="fine")
    with pytest.raises(ConflictError, match="approve that"):
        await rig.alerts.change(THIRD, alert.id, change)
    await rig.activations.approve(SECOND, back.id)
    assert await reviews(rig).tell() == NONE
    assert (await told(rig))[0].state is AlertState.DISMISSED
    assert await rig.suspensions.active(THIRD, None) == []


async def test_nobody_goes_back_again_while_a_review_is_overdue(rig: Rig) -> None:
    await put_people(rig)
    back = await rolled_back(rig, 2)
    wait(rig, back)
    with pytest.raises(ConflictError, match="second person approve"):
        await rig.activations.rollback(SECOND, "still worse")
    rig.clock.advance(30 * DAY)
    # A review has a deadline and no end: it can always be done.
    await rig.activations.approve(SECOND, back.id)
    await rig.activations.rollback(SECOND, "still worse")
