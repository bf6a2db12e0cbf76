"""A customer's word against a row of their history, on both engines."""

from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from tests.contracts.guard.history.telling import PORTAL, Telling
from tests.support.people import AGENT

pytestmark = pytest.mark.anyio


async def test_a_dispute_is_an_entry_that_names_the_row_and_its_agent(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    of = await told.viewed(ref)
    row = await told.disputes.dispute(PORTAL, ref, of, "nobody called me")
    (entry,) = [e for e in told.rig.log() if e.kind is EntryKind.DISPUTE]
    viewed = next(e for e in told.rig.log() if e.entry_id == of)
    assert entry.entry_id == row.id
    assert entry.event.body == {"of": of, "index": viewed.index, "agent": AGENT.id}
    assert entry.event.agent == PORTAL.id
    (part,) = entry.subjects
    assert part is not None
    assert (part.customer, part.reason) == (ref, "nobody called me")


async def test_a_row_is_disputed_once_and_the_first_word_stands(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    of = await told.viewed(ref)
    first = await told.disputes.dispute(PORTAL, ref, of, "")
    told.rig.clock.advance(5)
    assert await told.disputes.dispute(PORTAL, ref, of, "again") == first
    assert len([e for e in told.rig.log() if e.kind is EntryKind.DISPUTE]) == 1


async def test_the_agent_is_told_nothing_and_nothing_changes_for_them(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    await told.disputes.dispute(PORTAL, ref, await told.viewed(ref), "")
    assert await told.rig.suspensions.notices(AGENT) == []
    mine = await told.own.mine(AGENT)
    assert mine.responses == ()
    assert "dispute" not in repr(mine)


async def test_a_row_of_a_merged_record_can_be_disputed(told: Telling) -> None:
    one, other = await told.rig.customers(2)
    await told.merged(one, other)
    row = await told.disputes.dispute(PORTAL, one, await told.viewed(other), "")
    assert row.ref == other


async def test_only_a_row_that_the_history_shows_can_be_disputed(told: Telling) -> None:
    ref, stranger = await told.rig.customers(2)
    of = await told.viewed(ref)
    enrolled = next(e for e in told.rig.log() if e.kind is EntryKind.CASE)
    for who, entry in (
        (stranger, of),
        (ref, enrolled.entry_id),
        (ref, "00" * 16),
        (ref, "no hex"),
        ("nobody", of),
    ):
        with pytest.raises(NotFoundError):
            await told.disputes.dispute(PORTAL, who, entry, "")
    await told.held()
    with pytest.raises(NotFoundError):
        await told.disputes.dispute(PORTAL, ref, of, "")


async def test_only_a_portal_with_the_scope_may_dispute(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    of = await told.viewed(ref)
    for caller in (AGENT, replace(PORTAL, scopes=frozenset({"history:read"}))):
        with pytest.raises(AccessDeniedError):
            await told.disputes.dispute(caller, ref, of, "")
    with pytest.raises(InvalidRequestError):
        await told.disputes.dispute(PORTAL, ref, of, "x" * 501)
