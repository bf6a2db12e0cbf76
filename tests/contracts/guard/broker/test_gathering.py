"""What is known of a request before anything is decided, on both engines."""

import pytest

from guard.views import RefusalCode, Refused, Served
from tests.support.people import AGENT
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def test_the_facts_of_every_view_are_kept_for_a_replay(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    facts_id = rig.entry(answer.receipt).event.facts_id
    with rig.store.read() as view:
        facts = view.facts(facts_id)
    assert facts is not None
    assert facts["link"] == "owner"


async def test_customers_of_another_tenant_do_not_exist(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(make_caller(tenant="other"), rig.asks(ref))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
