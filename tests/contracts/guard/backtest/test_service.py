"""A backtest of the running service, on both engines."""

import asyncio

import pytest

from guard.backtest import Backtests
from guard.entries import EntryKind
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from tests.contracts.guard.backtest.floor import STRICT, a_day, confirm
from tests.support.people import AGENT, ANALYST, AUDITOR
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio
END = 1 << 62


async def test_what_came_out_is_kept_where_the_approver_finds_it(rig: Rig) -> None:
    await a_day(rig)
    await confirm(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "views need a case")
    report = await rig.backtests.run(AUDITOR, row.id, 0, END)
    assert report.bad_stopped == 5
    entry = [e.event for e in rig.log() if e.kind is EntryKind.BUNDLE][-1]
    assert (entry.agent, entry.body["state"]) == ("aud", "backtested")
    assert entry.body["result"] == report.sentence


async def test_one_at_a_time_and_not_more_than_a_running_service_takes_on(rig: Rig) -> None:
    await a_day(rig)
    row = await rig.activations.propose(ANALYST, STRICT, "views need a case")
    both = await asyncio.gather(
        *(rig.backtests.run(ANALYST, row.id, 0, END) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, ConflictError) for one in both) == 1
    small = Backtests(
        rig.committer, rig.readers, rig.clock, rig.vault, rig.activations, max_entries=3
    )
    with pytest.raises(InvalidRequestError, match="guard policy backtest"):
        await small.run(ANALYST, row.id, 0, END)
    # The turn is given back.
    assert (await rig.backtests.run(ANALYST, row.id, 0, 1)).entries == 0


async def test_only_those_who_read_policies_may_try_them(rig: Rig) -> None:
    row = await rig.activations.propose(ANALYST, STRICT, "views need a case")
    with pytest.raises(AccessDeniedError):
        await rig.backtests.run(AGENT, row.id, 0, END)
    with pytest.raises(NotFoundError):
        await rig.backtests.run(ANALYST, "pol-none", 0, END)
