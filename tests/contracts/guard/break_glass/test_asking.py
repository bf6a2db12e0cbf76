"""Opening a customer without a case, on both engines."""

import asyncio

import pytest

from guard.after_reviews import REVIEW_WITHIN
from guard.alerts import AlertChange
from guard.break_glass import GlassState, ReviewOutcome
from guard.break_glass.asking import MONTH, PER_DAY, PER_MONTH
from guard.clock import DAY, MINUTE
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.findings import FindingKind, Severity
from guard.rows import AlertState, GrantKind, GrantRow
from policies.model import ActorKind, Role
from tests.contracts.guard.break_glass.glass import (
    TEXT,
    alerts,
    done,
    grants,
    make_put,
    staffed,
)
from tests.support.people import AGENT, ANALYST, AUDITOR, suspend
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def test_it_opens_one_customer_for_minutes_and_raises_an_alert_at_once(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    assert (row.kind, row.agent_id, row.ref) == (GrantKind.BREAK_GLASS, "a1", ref)
    assert row.ends_at - row.starts_at == 15 * MINUTE
    (entry,) = grants(rig)
    assert entry.event.body == {
        "grant": row.id,
        "kind": "break_glass",
        "state": "opened",
        "agent": "a1",
        "reason_code": "fraud_in_progress",
        "until": row.ends_at,
        "outcome": "",
    }
    part = entry.subjects[0]
    assert part is not None
    assert (part.customer, part.case, part.reason) == (ref, "k-9", TEXT)
    (alert,) = await alerts(rig)
    assert (alert.finding.kind, alert.severity) == (FindingKind.BREAK_GLASS, Severity.LOW)
    assert (alert.assignee, alert.finding.evidence) == (None, (entry.index,))
    assert TEXT not in repr(alert)
    assert "a1" not in " ".join(alert.finding.reasons)
    assert await rig.suspensions.active(ANALYST, None) == []


async def test_it_is_scarce_by_day_and_by_month_and_asking_on_is_an_entry(rig: Rig) -> None:
    await staffed(rig)
    refs = await rig.customers(PER_MONTH + 2)
    for n, ref in enumerate(refs[:PER_MONTH]):
        if n and n % PER_DAY == 0:
            with pytest.raises(AccessDeniedError, match="2 times a day"):
                await rig.break_glass.open(AGENT, make_put(refs[-1]))
            rig.clock.advance(DAY)
        row = await done(rig, ref)
        await rig.break_glass.review(ANALYST, row.id, ReviewOutcome.JUSTIFIED, "heard the call")
    rig.clock.advance(2 * DAY)
    with pytest.raises(AccessDeniedError):
        await rig.break_glass.open(AGENT, make_put(refs[-1]))
    refused = grants(rig)[-1]
    assert (refused.event.body["state"], refused.event.outcome) == ("refused", "refused")
    assert refused.refs == (refs[-1],)
    await rig.break_glass.open(make_caller("a2"), make_put(refs[-1]))
    rig.clock.advance(MONTH)
    await rig.break_glass.open(AGENT, make_put(refs[-1]))


async def test_many_at_once_get_no_more_than_the_limit(rig: Rig) -> None:
    await staffed(rig)
    refs = await rig.customers(6)
    asked = (rig.break_glass.open(AGENT, make_put(ref)) for ref in refs)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, GrantRow) for answer in answers) == PER_DAY
    assert sum(isinstance(answer, AccessDeniedError) for answer in answers) == 6 - PER_DAY
    states = [entry.event.body["state"] for entry in grants(rig)]
    assert (states.count("opened"), states.count("refused")) == (PER_DAY, 6 - PER_DAY)
    assert {alert.severity for alert in await alerts(rig)} == {Severity.LOW, Severity.MEDIUM}


async def test_the_same_customer_is_opened_once_at_a_time(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    await rig.break_glass.open(AGENT, make_put(ref))
    with pytest.raises(ConflictError, match="broken for this customer already"):
        await rig.break_glass.open(AGENT, make_put(ref))
    assert len(await alerts(rig)) == 1
    refused = grants(rig)[-1]
    assert (refused.event.body["state"], refused.refs) == ("refused", (ref,))
    assert "already" in refused.event.reasons[0]


@pytest.mark.parametrize(
    "caller",
    [
        ANALYST,
        AUDITOR,
        make_caller("a1", kind=ActorKind.AI, actor="bot-1"),
        make_caller("sync", role=Role.SERVICE, kind=ActorKind.SERVICE),
        make_caller("a1", role=Role.ADMIN),
    ],
    ids=["analyst", "auditor", "ai", "service", "admin"],
)
async def test_who_may_not_is_refused_and_recorded(rig: Rig, caller: object) -> None:
    (ref,) = await rig.customers(1)
    with pytest.raises(AccessDeniedError):
        await rig.break_glass.open(caller, make_put(ref))  # type: ignore[arg-type] # parametrised
    assert grants(rig)[-1].event.body["state"] == "refused"


async def test_a_stranger_and_a_suspended_agent_are_refused_and_recorded(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    with pytest.raises(NotFoundError):
        await rig.break_glass.open(AGENT, make_put("nobody"))
    assert grants(rig)[-1].refs == ()
    await suspend(rig)
    with pytest.raises(AccessDeniedError, match="suspended"):
        await rig.break_glass.open(AGENT, make_put(ref))
    assert len(grants(rig)) == 2


async def test_it_ends_early_by_its_holder_alone(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    with pytest.raises(NotFoundError):
        await rig.break_glass.end(make_caller("a2"), row.id)
    with pytest.raises(NotFoundError):
        await rig.break_glass.end(AGENT, "glass-none")
    rig.clock.advance(MINUTE)
    ended = await rig.break_glass.end(AGENT, row.id)
    assert ended.ends_at == rig.clock.now()
    with pytest.raises(ConflictError):
        await rig.break_glass.end(AGENT, row.id)
    assert await rig.break_glass.page(ANALYST, GlassState.OPEN) == []
    assert [entry.event.body["state"] for entry in grants(rig)] == ["opened", "ended"]


async def test_an_overdue_review_stops_the_next_one(rig: Rig) -> None:
    await staffed(rig)
    one, other = await rig.customers(2)
    row = await done(rig, one)
    rig.clock.advance(REVIEW_WITHIN - 1)
    assert not (await rig.break_glass.page(ANALYST, GlassState.UNREVIEWED))[0].is_overdue
    rig.clock.advance(MONTH)
    assert (await rig.break_glass.page(ANALYST, GlassState.UNREVIEWED))[0].is_overdue
    with pytest.raises(AccessDeniedError, match="waits for its review"):
        await rig.break_glass.open(AGENT, make_put(other))
    await rig.break_glass.review(ANALYST, row.id, ReviewOutcome.UNJUSTIFIED, "nobody called")
    await rig.break_glass.open(AGENT, make_put(other))


async def test_its_alert_ends_by_review_and_is_given_to_nobody_of_the_line(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    await rig.break_glass.open(AGENT, make_put(ref))
    (alert,) = await alerts(rig)
    change = AlertChange(state=AlertState.DISMISSED, note="fine")
    with pytest.raises(ConflictError, match="review"):
        await rig.alerts.change(ANALYST, alert.id, change)
    with pytest.raises(AccessDeniedError):
        await rig.alerts.change(ANALYST, alert.id, AlertChange(assignee="lead-1"))
    taken = AlertChange(state=AlertState.ACKNOWLEDGED, assignee="ana")
    assert (await rig.alerts.change(ANALYST, alert.id, taken)).assignee == "ana"


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": 61},
        {"text": "x" * 19},
        {"text": " " * 30},
        {"text": "x" * 2_001},
    ],
)
async def test_words_that_say_too_little_or_too_much_are_refused(
    rig: Rig, wrong: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequestError):
        await rig.break_glass.open(AGENT, make_put("c1", **wrong))
    assert grants(rig) == []
