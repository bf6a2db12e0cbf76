"""Who may hold back what from whom, and until when, on both engines."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.history import HoldBackPut
from guard.history.hold_backs import LAPSES_AFTER, in_force, is_held
from tests.contracts.guard.history.telling import Telling
from tests.support.forgetting import Oblivion
from tests.support.makers import NOON, TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND

pytestmark = pytest.mark.anyio

PUT = HoldBackPut(
    agent="a1", since=0, until=NOON, reason="a matter under review", ends_at=NOON + DAY
)


async def test_it_takes_two_people_and_each_step_is_an_entry(told: Telling) -> None:
    row = await told.hold_backs.propose(ANALYST, PUT)
    assert in_force([row], NOON) == ()
    with pytest.raises(AccessDeniedError):
        await told.hold_backs.approve(ANALYST, row.id)
    approved = await told.hold_backs.approve(SECOND, row.id)
    assert in_force([approved], NOON) == (approved,)
    with pytest.raises(ConflictError):
        await told.hold_backs.approve(SECOND, row.id)
    assert await told.hold_backs.page(AUDITOR) == [approved]
    ended = await told.hold_backs.end(ANALYST, row.id)
    assert in_force([ended], NOON) == ()
    assert await told.hold_backs.page(AUDITOR) == []
    with pytest.raises(ConflictError):
        await told.hold_backs.end(ANALYST, row.id)
    steps = [e.event for e in told.rig.log() if e.kind is EntryKind.HOLD_BACK]
    assert [e.body["state"] for e in steps] == ["proposed", "approved", "ended"]
    assert [e.agent for e in steps] == ["ana", "ben", "ana"]
    assert steps[0].body["because"] == "a matter under review"


async def test_one_about_a_customer_is_an_entry_about_them(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    await told.hold_backs.propose(ANALYST, replace(PUT, agent=None, customer=ref))
    assert told.rig.log()[-1].refs == (ref,)


async def test_its_reason_is_in_no_table_and_goes_with_the_customer(
    told: Telling, store_url: str, tmp_path: Path
) -> None:
    ref, other = await told.rig.customers(2)
    about = replace(PUT, agent=None, customer=ref, reason="canary-1 is a friend of the agent")
    proposed = await told.hold_backs.propose(ANALYST, about)
    row = await told.hold_backs.propose(ANALYST, replace(about, customer=other))
    await told.hold_backs.approve(SECOND, row.id)
    # What is about nobody else is found where it was looked for.
    await told.hold_backs.propose(ANALYST, replace(PUT, reason="canary-2 is under review"))
    assert [about.reason, about.reason] == [
        one.reason for one in await told.hold_backs.page(AUDITOR) if one.ref
    ]
    parts = [e.subjects[0] for e in told.rig.log() if e.kind is EntryKind.HOLD_BACK and e.refs]
    assert {part and part.reason for part in parts} == {about.reason}
    assert b"canary-2" in everything(store_url)

    oblivion = Oblivion.over(told.rig, tmp_path)
    await oblivion.forget(ref)
    assert b"canary-1" not in everything(store_url)
    steps = [e for e in told.rig.log() if e.kind is EntryKind.HOLD_BACK]
    assert "canary-1" not in repr([e.event for e in steps])
    assert "canary-1" not in repr([e.subjects for e in steps if e.refs == (ref,)])
    reasons = {one.ref: one.reason for one in await told.hold_backs.page(AUDITOR)}
    assert (reasons[ref], reasons[other]) == ("", about.reason)
    # It still goes on, without naming the customer.
    approved = await told.hold_backs.approve(SECOND, proposed.id)
    ended = await told.hold_backs.end(ANALYST, proposed.id)
    assert approved.ref == ended.ref == ref
    assert [e.refs for e in told.rig.log()[-2:]] == [(), ()]
    with pytest.raises(NotFoundError):
        await told.hold_backs.propose(ANALYST, about)


def everything(url: str) -> bytes:
    """Every value of every row of every table."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        rows = [connection.execute(sa.text(f'SELECT * FROM "{t}"')).all() for t in tables]  # noqa: S608 - the tables' own names
    engine.dispose()
    return b"\n".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for table in rows
        for row in table
        for value in row
    )


async def test_nobody_holds_back_what_is_about_themselves(told: Telling) -> None:
    with pytest.raises(AccessDeniedError):
        await told.hold_backs.propose(ANALYST, replace(PUT, agent=ANALYST.id))
    about_second = await told.hold_backs.propose(ANALYST, replace(PUT, agent=SECOND.id))
    with pytest.raises(AccessDeniedError):
        await told.hold_backs.approve(SECOND, about_second.id)
    with pytest.raises(AccessDeniedError):
        await told.hold_backs.end(SECOND, about_second.id)
    assert await told.hold_backs.page(SECOND) == []
    assert await told.hold_backs.page(ANALYST) == [about_second]


async def test_what_makes_no_sense_is_refused(told: Telling) -> None:
    for put in (
        replace(PUT, agent=None),
        replace(PUT, since=NOON),
        replace(PUT, reason=" "),
        replace(PUT, reason="x" * 2_001),
        replace(PUT, ends_at=NOON),
        replace(PUT, ends_at=NOON + 91 * DAY),
    ):
        with pytest.raises(InvalidRequestError):
            await told.hold_backs.propose(ANALYST, put)
    for put in (replace(PUT, agent="nobody"), replace(PUT, customer="nobody")):
        with pytest.raises(NotFoundError):
            await told.hold_backs.propose(ANALYST, put)
    for caller in (AGENT, AUDITOR):
        with pytest.raises(AccessDeniedError):
            await told.hold_backs.propose(caller, PUT)
    with pytest.raises(AccessDeniedError):
        await told.hold_backs.page(AGENT)
    with pytest.raises(NotFoundError):
        await told.hold_backs.approve(SECOND, "hbk-0")


async def test_an_old_proposal_and_one_of_another_tenant_are_not_approved(told: Telling) -> None:
    put = replace(PUT, ends_at=NOON + 30 * DAY)
    row = await told.hold_backs.propose(ANALYST, put)
    with pytest.raises(NotFoundError):
        await told.hold_backs.approve(replace(SECOND, tenant="other"), row.id)
    told.rig.clock.advance(LAPSES_AFTER)
    with pytest.raises(ConflictError):
        await told.hold_backs.approve(SECOND, row.id)


async def test_what_is_held_is_bounded_by_agent_customer_and_time(told: Telling) -> None:
    row = await told.hold_backs.propose(ANALYST, PUT)
    assert row.tenant == TENANT
    assert is_held([row], 5, ("a1", ""), ("r1",))
    assert not is_held([row], NOON, ("a1", ""), ("r1",))
    assert not is_held([row], 5, ("a2", ""), ("r1",))
    both = replace(row, ref="r1")
    assert is_held([both], 5, ("bot", "a1"), ("r2", "r1"))
    assert not is_held([both], 5, ("a1", ""), ("r2",))
