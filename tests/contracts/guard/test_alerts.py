"""From findings to reviewed alerts, on both engines."""

import pytest

from guard.alerts import AlertChange
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.findings import FindingKind, Severity
from guard.rows import AlertState, OutboxItem, ResponseKind
from guard.views import RefusalCode, Refused, Served
from tests.support.makers import TENANT
from tests.support.people import (
    AGENT,
    ANALYST,
    AUDITOR,
    SECOND,
    make_finding,
    open_alert,
    put_people,
    raise_finding,
)
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_finding_is_applied_once_whatever_is_repeated(rig: Rig) -> None:
    await put_people(rig)
    item = OutboxItem(position=7, tenant=TENANT, finding=make_finding(Severity.MEDIUM))
    assert await rig.alerts.apply("w", [item]) == 1
    assert await rig.alerts.apply("w", [item]) == 0
    assert len([e for e in rig.log() if e.kind is EntryKind.ALERT]) == 1


async def test_repeats_update_the_one_unfinished_alert_and_the_ladder_climbs(rig: Rig) -> None:
    await put_people(rig)
    for position, severity in enumerate(
        (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL, Severity.MEDIUM), 1
    ):
        await raise_finding(rig, position, make_finding(severity))
    rows = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=9)
    assert [r.severity for r in rows] == [Severity.CRITICAL]
    assert rows[0].pseudonyms[0].startswith("agent-")
    wider = make_finding(Severity.CRITICAL, agents=("a1", "a2"))
    await raise_finding(rig, 9, wider)
    (row,) = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=9)
    assert len(row.pseudonyms) == len(row.finding.agent_ids) == 2
    held = await rig.suspensions.active(ANALYST, "a1")
    assert {r.kind for r in held} == {
        ResponseKind.NOTIFY,
        ResponseKind.MASK_MORE,
        ResponseKind.EXPLAINED_ONLY,
    }
    assert all(r.by == "system" and r.ends_at > rig.clock.now() for r in held)


async def test_explained_only_refuses_weak_links_and_lets_cases_pass(rig: Rig) -> None:
    await put_people(rig)
    weak, strong = await rig.customers(2)
    assert isinstance(await rig.broker.view(AGENT, rig.asks(weak)), Served)
    await raise_finding(rig, 1, make_finding(Severity.CRITICAL))
    answer = await rig.broker.view(AGENT, rig.asks(weak))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.EXPLAINED_ONLY
    explained = await rig.broker.view(AGENT, rig.asks(strong, await rig.case(strong)))
    assert isinstance(explained, Served)


async def test_only_hard_evidence_lets_a_machine_suspend(rig: Rig) -> None:
    await put_people(rig)
    await raise_finding(rig, 1, make_finding(Severity.HIGH, is_hard=True))
    (row,) = await rig.suspensions.active(ANALYST, "a1")
    assert row.kind is ResponseKind.SUSPEND


async def test_a_second_opinion_and_strangers_get_no_response(rig: Rig) -> None:
    await put_people(rig)
    await raise_finding(rig, 1, make_finding(Severity.HIGH, kind=FindingKind.OUTLIER))
    await raise_finding(rig, 2, make_finding(Severity.HIGH, agents=("ghost",)))
    assert await rig.suspensions.active(ANALYST, None) == []


async def test_dismissing_needs_a_note_and_ends_what_the_machine_did(rig: Rig) -> None:
    await put_people(rig)
    await raise_finding(rig, 1, make_finding(Severity.CRITICAL))
    alert = await open_alert(rig)
    with pytest.raises(InvalidRequestError):
        await rig.alerts.change(ANALYST, alert, AlertChange(state=AlertState.DISMISSED))
    row = await rig.alerts.change(
        ANALYST,
        alert,
        AlertChange(state=AlertState.DISMISSED, label="honest", note="a late campaign list"),
    )
    assert (row.state, row.label) == (AlertState.DISMISSED, "honest")
    assert await rig.suspensions.active(ANALYST, "a1") == []
    with pytest.raises(ConflictError):
        await rig.alerts.change(ANALYST, alert, AlertChange(assignee="ben"))
    rig.clock.advance(1)
    await raise_finding(rig, 2, make_finding(Severity.MEDIUM))
    assert await open_alert(rig) != alert
    labels = [e.event.body for e in rig.log() if e.kind is EntryKind.LABEL]
    assert labels[0]["label"] == "honest"


async def test_nobody_sees_or_reviews_an_alert_about_themselves(rig: Rig) -> None:
    await put_people(rig)
    await raise_finding(rig, 1, make_finding(Severity.MEDIUM, agents=("ana",)))
    assert await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=9) == []
    rows = await rig.alerts.page(SECOND, states=frozenset(AlertState), before=None, limit=9)
    with pytest.raises(NotFoundError):
        await rig.alerts.get(ANALYST, rows[0].id)
    with pytest.raises(NotFoundError):
        await rig.alerts.change(ANALYST, rows[0].id, AlertChange(note="n"))


async def test_evidence_is_the_entries_that_raised_it(rig: Rig) -> None:
    await put_people(rig)
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref))
    index = rig.entry(answer.receipt).index
    await raise_finding(rig, 1, make_finding(Severity.MEDIUM, evidence=(index, 10_000)))
    (entry,) = await rig.alerts.evidence(ANALYST, await open_alert(rig))
    assert entry.index == index


@pytest.mark.parametrize(
    "change",
    [
        AlertChange(label="guilty"),
        AlertChange(note="x" * 4_001),
        AlertChange(state=AlertState.OPEN),
    ],
)
async def test_changes_that_make_no_sense_are_refused(rig: Rig, change: AlertChange) -> None:
    await put_people(rig)
    await raise_finding(rig, 1, make_finding(Severity.MEDIUM))
    with pytest.raises(InvalidRequestError):
        await rig.alerts.change(ANALYST, await open_alert(rig), change)


async def test_agents_have_no_business_with_alerts(rig: Rig) -> None:
    with pytest.raises(AccessDeniedError):
        await rig.alerts.page(AGENT, states=frozenset(), before=None, limit=1)
    with pytest.raises(AccessDeniedError):
        await rig.alerts.change(AUDITOR, "x", AlertChange(note="n"))


async def test_what_a_person_lifted_stays_lifted_until_the_matter_worsens(rig: Rig) -> None:
    await put_people(rig)
    await raise_finding(rig, 1, make_finding(Severity.HIGH))
    (held,) = await rig.suspensions.active(ANALYST, "a1")
    await rig.suspensions.lift(ANALYST, held.id, "a late list explains it")
    await raise_finding(rig, 2, make_finding(Severity.HIGH))
    await raise_finding(rig, 3, make_finding(Severity.MEDIUM))
    assert await rig.suspensions.active(ANALYST, "a1") == []
    await raise_finding(rig, 4, make_finding(Severity.CRITICAL))
    (worse,) = await rig.suspensions.active(ANALYST, "a1")
    assert worse.kind is ResponseKind.EXPLAINED_ONLY


async def test_a_ring_waits_for_a_person_whoever_it_names(rig: Rig) -> None:
    await put_people(rig)
    ring = make_finding(Severity.CRITICAL, agents=("a1", "ben"), kind=FindingKind.RING)
    await raise_finding(rig, 1, ring)
    assert await rig.suspensions.active(ANALYST, None) == []
