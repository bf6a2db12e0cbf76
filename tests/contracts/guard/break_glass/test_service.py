"""The life of one break-glass from end to end, on both engines."""

import pytest

from guard.break_glass import GlassState, ReviewOutcome
from guard.clock import MINUTE
from tests.contracts.guard.break_glass.glass import ELSEWHERE, TEXT, grants, make_put, staffed
from tests.support.people import AGENT, ANALYST
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_glass_is_broken_ended_read_and_reviewed(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    rig.clock.advance(MINUTE)
    await rig.break_glass.end(AGENT, row.id)
    (waiting,) = await rig.break_glass.page(ANALYST, GlassState.UNREVIEWED)
    assert (waiting.row.id, waiting.text) == (row.id, None)
    assert (await rig.break_glass.get(ELSEWHERE, row.id)).text == TEXT
    outcome = ReviewOutcome.JUSTIFIED
    reviewed = await rig.break_glass.review(ELSEWHERE, row.id, outcome, "heard the call")
    assert reviewed.row.outcome == "justified"
    assert [e.event.body["state"] for e in grants(rig)] == ["opened", "ended", "reviewed"]
