"""How access ends and comes back, on both engines."""

import asyncio

import pytest

from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.views import RefusalCode, Refused, Served
from tests.support.people import AGENT, ANALYST, SECOND, put_people, suspend
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_after_it_returns_nothing_is_admitted_and_a_lift_ends_it(rig: Rig) -> None:
    await put_people(rig)
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    response = await suspend(rig)
    answer = await rig.broker.view(AGENT, rig.asks(ref, case))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.SUSPENDED
    with pytest.raises(AccessDeniedError):
        await rig.suspensions.lift(ANALYST, response, "by the same person")
    await rig.suspensions.lift(SECOND, response, "explained")
    assert isinstance(await rig.broker.view(AGENT, rig.asks(ref, case)), Served)
    with pytest.raises(ConflictError):
        await rig.suspensions.lift(SECOND, response, "again")
    kinds = [e.event.body["active"] for e in rig.log() if e.kind is EntryKind.SUSPENSION]
    assert kinds == [True, False]


async def test_it_ends_by_itself(rig: Rig) -> None:
    await put_people(rig)
    (ref,) = await rig.customers(1)
    await suspend(rig)
    rig.clock.advance(DAY + 1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)


async def test_views_in_flight_are_admitted_before_it_or_not_at_all(rig: Rig) -> None:
    await put_people(rig)
    refs = await rig.customers(30)
    cases = [await rig.case(ref) for ref in refs]

    async def view(number: int) -> Served | Refused:
        return await rig.broker.view(AGENT, rig.asks(refs[number], cases[number]))

    *answers, _ = await asyncio.gather(*(view(n) for n in range(30)), suspend(rig))
    log = rig.log()
    (at,) = [e.index for e in log if e.kind is EntryKind.SUSPENSION]
    assert not [e for e in log if e.kind is EntryKind.VIEW and e.index > at]
    assert len(answers) == 30


async def test_who_may_and_what_makes_sense(rig: Rig) -> None:
    await put_people(rig)
    now = rig.clock.now()
    with pytest.raises(AccessDeniedError):
        await rig.suspensions.suspend(AGENT, agent_id="a2", reason="r", ends_at=now + 1)
    with pytest.raises(AccessDeniedError):
        await rig.suspensions.suspend(ANALYST, agent_id="ana", reason="r", ends_at=now + 1)
    with pytest.raises(NotFoundError):
        await rig.suspensions.suspend(ANALYST, agent_id="ghost", reason="r", ends_at=now + 1)
    for reason, ends in ((" ", now + 1), ("r", now), ("r", now + 31 * DAY)):
        with pytest.raises(InvalidRequestError):
            await rig.suspensions.suspend(ANALYST, agent_id="a1", reason=reason, ends_at=ends)
    with pytest.raises(NotFoundError):
        await rig.suspensions.lift(ANALYST, "rsp-none", "r")
    with pytest.raises(AccessDeniedError):
        await rig.suspensions.active(AGENT, None)


async def test_nobody_lifts_a_response_against_themselves(rig: Rig) -> None:
    await put_people(rig)
    row = await rig.suspensions.suspend(
        SECOND, agent_id="ana", reason="r", ends_at=rig.clock.now() + DAY
    )
    with pytest.raises(AccessDeniedError):
        await rig.suspensions.lift(ANALYST, row.id, "mine")


async def test_those_concerned_see_a_notice_and_may_contest_it(rig: Rig) -> None:
    await put_people(rig)
    response = await suspend(rig)
    (notice,) = await rig.suspensions.notices(AGENT)
    assert notice.id == response
    await rig.suspensions.contest(AGENT, response, "these were callbacks")
    (row,) = await rig.suspensions.active(ANALYST, "a1")
    assert row.contested == "these were callbacks"
    assert rig.log()[-1].kind is EntryKind.CONTEST
    assert "callbacks" not in str(rig.log()[-1].event)
    with pytest.raises(NotFoundError):
        await rig.suspensions.contest(ANALYST, response, "not mine")
    with pytest.raises(InvalidRequestError):
        await rig.suspensions.contest(AGENT, response, "")
