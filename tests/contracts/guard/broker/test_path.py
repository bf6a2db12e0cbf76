"""The order of the steps, on both engines."""

import pytest

from guard.admission import Admission, Stale
from guard.entries import EntryKind
from guard.errors import (
    StoreUnavailableError,
)
from policies.model import Risk
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_a_standing_that_keeps_changing_ends_in_an_entry(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)

    async def stale(_admission: Admission) -> Stale:
        return Stale(Risk.NOTIFIED)

    monkeypatch.setattr(rig.committer, "admit", stale)
    with pytest.raises(StoreUnavailableError):
        await rig.broker.view(AGENT, rig.asks(ref, case))
    last = rig.log()[-1]
    assert (last.kind, last.event.reasons) == (EntryKind.FAILED, ("StoreUnavailableError",))
