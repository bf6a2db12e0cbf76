"""Who reads what about a broken glass, and that reading it is an entry, on both engines."""

import pytest

from guard.break_glass import GlassState, ReviewOutcome
from guard.entries import EntryKind, OpenedEntry
from guard.errors import (
    NotFoundError,
)
from policies.model import Role
from tests.contracts.guard.break_glass.glass import (
    ELSEWHERE,
    LEAD,
    TEXT,
    done,
    make_put,
    staffed,
)
from tests.support.people import AGENT, ANALYST, AUDITOR, DIRECTORY
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio


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


def reads(rig: Rig) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is EntryKind.AUDIT_QUERY]


async def test_reading_what_was_typed_is_an_entry_about_agent_and_customer(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    for reader in (ANALYST, AUDITOR, LEAD, ELSEWHERE):
        assert (await rig.break_glass.get(reader, row.id)).text == TEXT
    said = [(e.event.agent, e.event.outcome, e.refs) for e in reads(rig)]
    assert said == [(who, "", (ref,)) for who in ("ana", "aud", "lead-1", "lead-9")]
    assert reads(rig)[0].event.body == {"about": "a1", "limit": 1, "grant": row.id}


async def test_another_vendors_lead_learns_nothing_and_trying_is_an_entry(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await done(rig, ref)
    foreign = make_caller("lead-5", role=Role.LEAD, vendor="callco-2", line=("head-5",))
    with pytest.raises(NotFoundError):
        await rig.break_glass.get(foreign, row.id)
    (tried,) = reads(rig)
    assert (tried.event.agent, tried.event.outcome, tried.refs) == ("lead-5", "refused", (ref,))
    assert await rig.break_glass.page(foreign, GlassState.UNREVIEWED) == []
    with pytest.raises(NotFoundError):
        await rig.break_glass.review(foreign, row.id, ReviewOutcome.JUSTIFIED, "n")
    assert len(await rig.break_glass.page(ELSEWHERE, GlassState.UNREVIEWED)) == 1


async def test_a_manager_above_an_agent_of_another_vendor_reads(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    agent = make_caller("a7", vendor="callco-2", line=("manager-7",))
    await rig.directory.put(DIRECTORY, [row_of(agent)])
    row = await rig.break_glass.open(agent, make_put(ref))
    above = make_caller("manager-7", role=Role.MANAGER, line=())
    assert (await rig.break_glass.get(above, row.id)).text == TEXT
    beside = make_caller("manager-8", role=Role.MANAGER, line=())
    with pytest.raises(NotFoundError):
        await rig.break_glass.get(beside, row.id)


async def test_of_somebody_who_is_in_no_directory_security_alone_reads(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(make_caller("gone"), make_put(ref))
    assert (await rig.break_glass.get(ANALYST, row.id)).text == TEXT
    with pytest.raises(NotFoundError):
        await rig.break_glass.get(LEAD, row.id)
