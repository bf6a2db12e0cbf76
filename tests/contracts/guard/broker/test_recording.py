"""Refusals and failures end in entries, on both engines."""

import pytest

from guard.entries import EntryKind
from guard.views import RefusalCode, Refused
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("purpose", ["curiosity", "", "SUPPORT_CASE"])
async def test_an_unknown_purpose_is_refused_with_an_entry(rig: Rig, purpose: str) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, purpose=purpose))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.POLICY
    assert rig.entry(answer.receipt).kind is EntryKind.REFUSAL


async def test_an_unknown_customer_is_refused_with_an_entry_that_names_none(rig: Rig) -> None:
    answer = await rig.broker.view(AGENT, rig.asks("nobody"))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
    assert rig.entry(answer.receipt).refs == ()
