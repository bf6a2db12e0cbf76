"""What the policy refuses in which mode, on both engines."""

from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.store import SqlStore
from guard.views import Refused, Served
from policies.model import Mode
from tests.support.people import AGENT, ANALYST, SECOND, put_people
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig, open_rig

pytestmark = pytest.mark.anyio


async def test_one_observed_purpose_does_not_open_what_is_refused_otherwise(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)
    rule = await rig.modes.propose(
        ANALYST, vendor="", team="", purpose="quality_review", mode=Mode.OBSERVE
    )
    await rig.modes.approve(SECOND, rule.id)
    answer = await rig.broker.view(AGENT, rig.asks(ref, purpose="quality_review"))
    assert isinstance(answer, Refused)
    reviewed = await rig.case(ref, how="qa")
    answer = await rig.broker.view(AGENT, rig.asks(ref, reviewed, purpose="quality_review"))
    assert isinstance(answer, Served)
    assert answer.mode is Mode.OBSERVE


async def test_a_policy_that_cannot_be_evaluated_shows_nothing_in_any_mode(
    store: SqlStore, clock: ManualClock, tmp_path: Path
) -> None:
    files = default_files()
    broken = b'@id("broken")\n@reason("x")\nforbid(principal, action == Action::"Admit", resource)'
    files = {**files, "broken.cedar": broken + b" when { 9223372036854775807 + 1 > 0 };\n"}
    with open_rig(store, clock, tmp_path, files) as rig:
        await put_people(rig)
        rule = await rig.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
        await rig.modes.approve(SECOND, rule.id)
        (ref,) = await rig.customers(1)
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Refused)
        assert "policy-error" in answer.determined_by
