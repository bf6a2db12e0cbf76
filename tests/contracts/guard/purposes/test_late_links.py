"""A case that comes late repairs the grade of earlier views, on both engines."""

import asyncio
from dataclasses import replace

import pytest

from api.feed import floor_events
from detectors.kernel import Kernel
from detectors.state import FloorState
from guard.clock import DAY, MINUTE
from guard.entries import EntryKind, OpenedEntry
from guard.errors import ConflictError
from guard.purposes import late_links
from guard.purposes.reports import AssignmentPut
from guard.views import Served
from tests.support.people import AGENT, DIRECTORY, make_case_put
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def look(rig: Rig, ref: str, case: str | None = None, times: int = 1) -> list[int]:
    """Views of the agent a minute apart; their indexes."""
    found = []
    for _ in range(times):
        rig.clock.advance(MINUTE)
        answer = await rig.broker.view(AGENT, rig.asks(ref, case, reason="call back"))
        assert isinstance(answer, Served)
        found.append(rig.entry(answer.receipt).index)
    return found


def late(rig: Rig) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is EntryKind.LATE_LINK]


async def test_each_view_of_the_last_day_gets_one_late_link(rig: Rig) -> None:
    one, other = await rig.customers(2)
    old = await look(rig, one)
    rig.clock.advance(DAY)
    views = await look(rig, one, times=2) + await look(rig, one, "k-late")
    await look(rig, other)
    await rig.cases.put(DIRECTORY, make_case_put("k-late", one))
    again = replace(make_case_put("k-2", one), channel="mail")
    await rig.cases.put(DIRECTORY, again)
    entries = late(rig)
    assert [entry.event.body["index"] for entry in entries] == views
    assert old[0] not in views
    log = rig.log()
    first = entries[0]
    assert first.event.body == {
        "of": log[views[0]].entry_id,
        "index": views[0],
        "agent": "a1",
        "was": "pending",
        "link": "owner",
        "case": "k-late",
        "case_opened_by": "",
    }
    assert first.event.agent == DIRECTORY.id
    assert (first.refs, first.subjects[0] and first.subjects[0].case) == ((one,), "k-late")
    with rig.store.read() as view:
        assert view.late_links(views) == dict.fromkeys(views, "owner")


async def test_two_cases_of_one_batch_repair_a_view_once(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await look(rig, ref)
    await asyncio.gather(*(rig.cases.put(DIRECTORY, make_case_put(f"k{n}", ref)) for n in range(4)))
    assert len(late(rig)) == 1


async def test_nothing_repairs_itself_with_a_case_that_the_agent_opened(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await look(rig, ref)
    for opened_by, how in (("a1", "inbound"), (None, "self"), (None, "qa")):
        put = replace(
            make_case_put(f"k-{how}", ref),
            opened_by=opened_by,
            assignments=(AssignmentPut(agent="a1", how=how, from_at=2),),
        )
        await rig.cases.put(DIRECTORY, put)
    assert late(rig) == []


async def test_a_case_that_came_to_the_agent_long_after_the_view_is_no_excuse_for_it(
    rig: Rig,
) -> None:
    (ref,) = await rig.customers(1)
    await look(rig, ref)
    rig.clock.advance(late_links.BEFOREHAND)
    (index,) = await look(rig, ref)
    now = rig.clock.now()
    put = replace(
        make_case_put("k-new", ref),
        assignments=(AssignmentPut(agent="a1", how="transfer", from_at=now),),
    )
    await rig.cases.put(DIRECTORY, put)
    assert [entry.event.body["index"] for entry in late(rig)] == [index]


async def test_views_of_a_case_that_the_agent_opened_are_not_repaired(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case_id = await rig.case(ref, opened_by="a1")
    (index,) = await look(rig, ref, case_id)
    assert rig.log()[index].event.link == "self_opened"
    await rig.case(ref)
    assert late(rig) == []


async def test_neither_the_ai_agent_nor_its_human_may_have_opened_the_case(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    acting = make_caller(actor="bot")
    answer = await rig.broker.view(acting, rig.asks(ref, reason="chat"))
    assert isinstance(answer, Served)
    await rig.case(ref, "bot", opened_by="a1")
    assert late(rig) == []
    await rig.case(ref, "bot")
    assert [entry.event.body["agent"] for entry in late(rig)] == ["bot"]


async def test_their_number_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_links, "MAX_LATE_LINKS", 2)
    (ref,) = await rig.customers(1)
    views = await look(rig, ref, times=3)
    await rig.case(ref)
    assert [entry.event.body["index"] for entry in late(rig)] == views[1:]


async def test_a_case_that_is_refused_repairs_nothing(rig: Rig) -> None:
    one, other = await rig.customers(2)
    await look(rig, one)
    await rig.cases.put(DIRECTORY, replace(make_case_put("k", other), assignments=()))
    with pytest.raises(ConflictError):
        await rig.cases.put(DIRECTORY, make_case_put("k", one))
    assert late(rig) == []
    with rig.store.read() as view:
        assert view.late_links(range(100)) == {}


async def test_detectors_take_back_what_was_repaired_and_once(rig: Rig) -> None:
    one, other = await rig.customers(2)
    await look(rig, one)
    await look(rig, other)
    kernel = Kernel(FloorState(), 1 / 1000)
    for event in (event for entry in rig.log() for event in floor_events(entry)):
        kernel.take(event)
    state = kernel.floor.agents["a1"]
    before = len(rig.log())
    assert {proof.customer for proof in state.proofs} == {one, other}
    await rig.case(one)
    new = [event for entry in rig.log()[before:] for event in floor_events(entry)]
    for event in (*new, *new):
        kernel.take(event)
    assert {proof.customer for proof in state.proofs} == {other}
    assert all(count >= 0 for count in state.today.hits)
