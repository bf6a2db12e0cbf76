"""Holds are set by one and lifted by two, on both engines."""

import pytest

from guard.entries import EntryKind
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.forgetting import HoldGround, HoldPut
from guard.forgetting.holds import is_held
from guard.rows import DueDetail, HoldScope
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND, put_people

pytestmark = pytest.mark.anyio


def hold_on(scope: HoldScope, value: str = "", **times: int) -> HoldPut:
    return HoldPut(
        scope=scope, value=value, ground=HoldGround.LEGAL_OBLIGATION, matter="M-1", **times
    )


async def test_a_hold_is_in_force_until_a_second_person_lifts_it(oblivion: Oblivion) -> None:
    rig, holds = oblivion.rig, oblivion.holds
    await put_people(rig)
    (ref,) = await rig.customers(1)
    hold = await holds.set(ANALYST, hold_on(HoldScope.CUSTOMER, ref))
    with rig.store.read() as view:
        assert [one.id for one in view.holds_in_force(TENANT)] == [hold.id]
    await holds.lift(ANALYST, hold.id)
    with pytest.raises(AccessDeniedError):
        await holds.lift(ANALYST, hold.id)
    lifted = await holds.lift(SECOND, hold.id)
    assert (lifted.lift_by, lifted.lifted_by) == ("ana", "ben")
    with pytest.raises(ConflictError):
        await holds.lift(SECOND, hold.id)
    with pytest.raises(NotFoundError):
        await holds.lift(SECOND, "hold-none")
    with rig.store.read() as view:
        assert view.holds_in_force(TENANT) == []
    assert await holds.list(AUDITOR) == [lifted]
    entries = [e for e in rig.log() if e.kind is EntryKind.HOLD]
    assert [e.event.body["state"] for e in entries] == ["set", "lift_proposed", "lifted"]
    assert [e.refs for e in entries] == [(ref,)] * 3
    assert "customer" not in entries[0].event.body


async def test_a_hold_names_what_there_is(oblivion: Oblivion) -> None:
    rig, holds = oblivion.rig, oblivion.holds
    await put_people(rig)
    for scope in (HoldScope.CUSTOMER, HoldScope.AGENT, HoldScope.CASE):
        with pytest.raises(NotFoundError):
            await holds.set(ANALYST, hold_on(scope, "nothing"))
        with pytest.raises(InvalidRequestError):
            await holds.set(ANALYST, hold_on(scope))
    for wrong in (
        hold_on(HoldScope.TIME),
        hold_on(HoldScope.TIME, "x", since=1),
        hold_on(HoldScope.TIME, since=2, until=2),
    ):
        with pytest.raises(InvalidRequestError):
            await holds.set(ANALYST, wrong)
    assert (await holds.set(ANALYST, hold_on(HoldScope.TIME, until=2))).ref is None
    agent = await holds.set(ANALYST, hold_on(HoldScope.AGENT, AGENT.id))
    assert agent.value == AGENT.id
    (entry,) = [e for e in rig.log() if e.event.body.get("hold") == agent.id]
    assert (entry.event.body["agent"], entry.event.body["matter"]) == (AGENT.id, "M-1")


async def test_only_some_roles_set_or_read_holds(oblivion: Oblivion) -> None:
    put = hold_on(HoldScope.TIME, since=1)
    for who in (AGENT, AUDITOR):
        with pytest.raises(AccessDeniedError):
            await oblivion.holds.set(who, put)
        with pytest.raises(AccessDeniedError):
            await oblivion.holds.lift(who, "hold-1")
    with pytest.raises(AccessDeniedError):
        await oblivion.holds.list(AGENT)


async def test_a_range_is_kept_from_its_beginning_and_not_at_its_end(oblivion: Oblivion) -> None:
    await put_people(oblivion.rig)
    hold = await oblivion.holds.set(ANALYST, hold_on(HoldScope.AGENT, "a1", since=10, until=20))
    kept = [
        is_held([hold], DueDetail(index=0, at=at, agent=agent, actor=actor, refs=()))
        for at, agent, actor in (
            (9, "a1", ""),
            (10, "a1", ""),
            (19, "a2", "a1"),
            (20, "a1", ""),
            (15, "a2", ""),
        )
    ]
    assert kept == [False, True, True, False, False]
