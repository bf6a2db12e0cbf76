"""Bulk work that is bounded, on both engines."""

from dataclasses import replace

import pytest

from guard.clock import DAY
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.views import Refused, Served
from policies.model import Role
from tests.support.people import AGENT, DIRECTORY, make_list
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio


LEAD = make_caller("lead-9", role=Role.LEAD, team="outreach", line=("head-9",))
OTHER = make_caller("lead-8", role=Role.LEAD, team="sales", line=("head-8",))


async def test_a_list_counts_once_another_line_approved_it(rig: Rig) -> None:
    on_list, off_list = await rig.customers(2)
    await rig.directory.put(DIRECTORY, [row_of(LEAD), row_of(OTHER)])
    put = make_list("w1", (on_list,), rig.clock.now() + DAY)
    put = replace(put, starts_at=rig.clock.now() - 1)
    await rig.work_lists.propose(LEAD, put)
    ask = rig.asks(on_list, purpose="outreach")
    assert isinstance(await rig.broker.view(AGENT, ask), Refused)
    with pytest.raises(AccessDeniedError):
        await rig.work_lists.approve(LEAD, "w1")
    with pytest.raises(AccessDeniedError):
        await rig.work_lists.approve(AGENT, "w1")
    await rig.work_lists.approve(OTHER, "w1")
    answer = await rig.broker.view(AGENT, ask)
    assert isinstance(answer, Served)
    assert rig.log()[answer.receipt.index].event.link == "campaign"
    off = await rig.broker.view(AGENT, rig.asks(off_list, purpose="outreach"))
    assert isinstance(off, Refused)
    with pytest.raises(ConflictError):
        await rig.work_lists.approve(OTHER, "w1")
    with pytest.raises(ConflictError):
        await rig.work_lists.propose(LEAD, put)


async def test_lists_that_make_no_sense_are_refused(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    for put in (
        make_list("w", ()),
        make_list("w", (ref,), 0),
        make_list("w", (ref,), 93 * DAY),
        make_list("w", (ref, "nobody")),
    ):
        with pytest.raises(InvalidRequestError):
            await rig.work_lists.propose(LEAD, put)
    with pytest.raises(NotFoundError):
        await rig.work_lists.approve(OTHER, "w-none")
