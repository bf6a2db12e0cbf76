"""What somebody reads of what is logged about themselves, on both engines."""

from dataclasses import replace

import pytest

from guard.clock import DAY, HOUR, to_rfc3339
from guard.entries import EntryKind
from guard.errors import AccessDeniedError, InvalidRequestError, ProofError
from guard.exports import ExportFormat
from guard.exports.order import ExportOrder
from guard.history import OwnHistoryDocument, open_history
from guard.ledger.merkle import CompactRange
from guard.rows import LogQuery
from policies.model import ActorKind
from tests.contracts.guard.history.telling import Telling
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR

pytestmark = pytest.mark.anyio


async def test_ones_own_acts_are_counted_by_day_purpose_and_grade(told: Telling) -> None:
    first, second = await told.rig.customers(2)
    await told.viewed(first)
    await told.viewed(second)
    told.rig.clock.advance(DAY)
    await told.rig.broker.view(AGENT, told.rig.asks(first, purpose="nonsense"))
    mine = await told.own.mine(AGENT)
    counted = [(r.day, r.kind, r.purpose, r.link, r.outcome, r.count) for r in mine.activity]
    today = told.rig.clock.now() // DAY * DAY
    assert counted == [
        (today - DAY, EntryKind.VIEW, "support_case", "owner", "permitted", 2),
        (today, EntryKind.REFUSAL, "unknown", "", "refused", 1),
    ]
    assert mine.retention == "entries are kept for thirteen months"
    other = await told.own.mine(AUDITOR)
    assert other.activity == ()


async def test_ones_own_is_signed_in_the_words_of_the_answer(told: Telling) -> None:
    mine = await told.own.mine(AGENT)
    note = told.own.sign(AGENT, mine, {"activity": []})
    document = open_history(note, told.signer.verifier)
    assert document == OwnHistoryDocument(
        origin="t/exports",
        size=mine.size,
        root=mine.root,
        person=AGENT.id,
        as_of=to_rfc3339(mine.as_of),
        history={"activity": []},
    )
    with told.rig.store.read() as view:
        tree = CompactRange(*view.head())
    assert (mine.size, mine.root) == (tree.size, tree.root().hex())
    with pytest.raises(ProofError):
        open_history(note.replace(b'"a1"', b'"a2"'), told.signer.verifier)


async def test_who_looked_is_told_by_role_and_never_by_name(told: Telling) -> None:
    for who in (AUDITOR, ANALYST):
        await told.rig.auditing.views(who, LogQuery(tenant=TENANT, agent_id=AGENT.id), "a check")
        await told.rig.auditing.views(
            who, LogQuery(tenant=TENANT, agent_id="somebody-else"), "a check"
        )
    mine = await told.own.mine(AGENT)
    assert [one.role for one in mine.look_ups] == ["an auditor", "a security analyst"]
    assert "'aud'" not in repr(mine)
    assert "'ana'" not in repr(mine)


async def test_who_took_ones_log_out_is_told_by_role(told: Telling) -> None:
    for about in (AGENT.id, "somebody-else"):
        query = LogQuery(tenant=TENANT, agent_id=about)
        order = ExportOrder(format=ExportFormat.NDJSON, query=query, why="a check")
        async for _ in (await told.rig.exports.export(AUDITOR, order)).pieces:
            pass
    mine = await told.own.mine(AGENT)
    assert [one.role for one in mine.look_ups] == ["an auditor"]
    assert "'aud'" not in repr(mine)


async def test_reading_ones_own_is_an_entry(told: Telling) -> None:
    await told.own.mine(AGENT)
    (read,) = [e for e in told.rig.log() if e.kind is EntryKind.HISTORY]
    assert (read.event.agent, read.refs, read.event.body["of"]) == (AGENT.id, (), "own")


async def test_look_ups_of_an_investigation_appear_when_it_ends(told: Telling) -> None:
    held = await told.held()
    await told.rig.auditing.views(ANALYST, LogQuery(tenant=TENANT, agent_id=AGENT.id), "a check")
    assert (await told.own.mine(AGENT)).look_ups == ()
    await told.hold_backs.end(ANALYST, held)
    assert len((await told.own.mine(AGENT)).look_ups) == 1


async def test_a_hold_back_of_a_customer_hides_no_look_up(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    await told.held(agent=None, customer=ref)
    await told.rig.auditing.views(ANALYST, LogQuery(tenant=TENANT, agent_id=AGENT.id), "a check")
    assert len((await told.own.mine(AGENT)).look_ups) == 1


async def test_responses_of_that_time_are_listed(told: Telling) -> None:
    now = told.rig.clock.now()
    await told.rig.suspensions.suspend(
        ANALYST, agent_id=AGENT.id, reason="see your team lead", ends_at=now + HOUR
    )
    (one,) = (await told.own.mine(AGENT)).responses
    assert one.reason == "see your team lead"
    before = await told.own.mine(AGENT, since=now - 2 * DAY, until=now - DAY)
    assert before.responses == ()
    told.rig.clock.advance(2 * DAY)
    later = await told.own.mine(AGENT, since=now + DAY)
    assert later.responses == ()


async def test_an_ai_agent_does_not_read_what_is_about_its_person(told: Telling) -> None:
    with pytest.raises(AccessDeniedError):
        await told.own.mine(replace(AGENT, actor="bot", kind=ActorKind.AI))


async def test_the_stretch_is_bounded(told: Telling) -> None:
    now = told.rig.clock.now()
    for since in (now, now - 93 * DAY):
        with pytest.raises(InvalidRequestError):
            await told.own.mine(AGENT, since=since, until=now)
