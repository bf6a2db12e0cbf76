"""Budgets and entries move together, on both engines."""

import asyncio

import pytest

from guard.clock import HOUR
from guard.entries import EntryKind
from guard.views import RefusalCode, Refused, Served
from tests.support.people import AGENT
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def test_budgets_count_customers_and_then_refuse(rig: Rig) -> None:
    refs = await rig.customers(45)
    answers = [await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref))) for ref in refs]
    served = [a for a in answers if isinstance(a, Served)]
    refused = [a for a in answers if isinstance(a, Refused)]
    assert (len(served), len(refused)) == (40, 5)
    assert {a.code for a in refused} == {RefusalCode.QUOTA}
    assert all(a.retry_at is not None and a.budgets for a in refused)
    assert {a.exceeded for a in refused} == {("person-customers-hour",)}
    again = await rig.broker.view(AGENT, rig.asks(refs[0], await rig.case(refs[0])))
    assert isinstance(again, Served)
    rig.clock.advance(HOUR)
    later = await rig.broker.view(AGENT, rig.asks(refs[44], await rig.case(refs[44])))
    assert isinstance(later, Served)
    (budget,) = [b for b in later.budgets if b.name == "person-customers-day"]
    assert budget.used == 41


async def test_an_ai_agent_is_charged_beside_its_human(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    helper = make_caller(actor="bot-1")
    answer = await rig.broker.view(helper, rig.asks(ref, case, purpose="ai_session"))
    assert isinstance(answer, Served)
    entry = rig.entry(answer.receipt)
    assert (entry.event.agent, entry.event.actor) == ("a1", "bot-1")
    assert {c.key.partition("#")[0] for c in entry.event.charges} >= {"actor:acme/bot-1"}


async def test_concurrent_views_share_commits_and_each_has_its_entry(rig: Rig) -> None:
    refs = await rig.customers(20)
    cases = [await rig.case(ref) for ref in refs]
    answers = await asyncio.gather(
        *(rig.broker.view(AGENT, rig.asks(r, c)) for r, c in zip(refs, cases, strict=True))
    )
    entries = [rig.entry(a.receipt) for a in answers]
    assert len({entry.index for entry in entries}) == 20
    assert {entry.kind for entry in entries} == {EntryKind.VIEW}
