"""Opening a customer without a case, and answering for it, on both engines."""

import asyncio
from dataclasses import replace

import pytest

from guard.alerts import AlertChange
from guard.break_glass import (
    MONTH,
    PER_DAY,
    PER_MONTH,
    REVIEW_WITHIN,
    GlassPut,
    GlassState,
    ReasonCode,
    ReviewOutcome,
)
from guard.clock import DAY, MINUTE
from guard.entries import EntryKind, OpenedEntry
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.findings import FindingKind, Severity
from guard.rows import AlertRow, AlertState, GrantKind, GrantRow
from policies.model import ActorKind, Role
from tests.support.people import AGENT, ANALYST, AUDITOR, DIRECTORY, SECOND, put_people, suspend
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio

TEXT = "the caller says that somebody empties the account right now"
LEAD = make_caller("lead-1", role=Role.LEAD, line=("manager-1",))
ELSEWHERE = make_caller("lead-9", role=Role.LEAD, team="sales", line=("head-9",))


def make_put(ref: str, **changes: object) -> GlassPut:
    put = GlassPut(
        customer=ref, reason_code=ReasonCode.FRAUD_IN_PROGRESS, text=TEXT, minutes=15, case="k-9"
    )
    return replace(put, **changes)  # type: ignore[arg-type] # named fields of a put


def grants(rig: Rig) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is EntryKind.GRANT]


async def staffed(rig: Rig) -> None:
    await put_people(rig)
    await rig.directory.put(DIRECTORY, [row_of(LEAD), row_of(ELSEWHERE)])


async def alerts(rig: Rig) -> list[AlertRow]:
    return await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=50)


async def done(rig: Rig, ref: str, agent: str = "a1") -> GrantRow:
    """A grant that was opened and has ended."""
    row = await rig.break_glass.open(make_caller(agent), make_put(ref, minutes=1))
    rig.clock.advance(MINUTE)
    return row


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


async def test_what_was_typed_is_nowhere_but_in_the_sealed_part(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    assert all(TEXT not in repr(entry.event) for entry in rig.log())
    (listed,) = await rig.break_glass.page(ANALYST, GlassState.OPEN)
    assert listed.text is None
    assert (await rig.break_glass.get(ANALYST, row.id)).text == TEXT
    with pytest.raises(NotFoundError):
        await rig.break_glass.get(ANALYST, "glass-none")


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
    with pytest.raises(ConflictError):
        await rig.break_glass.open(AGENT, make_put(ref))
    assert len(await alerts(rig)) == 1


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
