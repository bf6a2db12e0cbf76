"""The broker as a whole: what every act has in common at the door."""

import pytest

from guard.clock import MINUTE
from guard.entries import EntryKind
from guard.views import (
    ContactRequest,
    ListRequest,
    RefusalCode,
    Refused,
    SearchRequest,
    VerifyRequest,
    ViewRequest,
)
from policies.model import Act
from tests.support.log import entry_of
from tests.support.people import AGENT, ANALYST, put_people
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def refusals(rig: Rig, ref: str, purpose: str = "support_case") -> dict[Act, Refused]:
    """What each act of one agent about one customer is refused with."""
    view = ViewRequest(customer=ref, purpose=purpose)
    claim = VerifyRequest(customer=ref, field="phone", part="last4", claim="1", purpose=purpose)
    call = ContactRequest(customer=ref, channel="call", purpose=purpose)
    (listed,) = await rig.broker.listing(AGENT, ListRequest(customers=(ref,), purpose=purpose))
    answers = {
        Act.VIEW: await rig.broker.view(AGENT, view),
        Act.LIST: listed,
        Act.SEARCH: await rig.broker.search(
            AGENT, SearchRequest(kind="phone", value="1", purpose=purpose)
        ),
        Act.VERIFY: await rig.broker.verify(AGENT, claim),
        Act.CONTACT: await rig.broker.contact(AGENT, call),
    }
    assert all(isinstance(answer, Refused) for answer in answers.values()), answers
    return {act: answer for act, answer in answers.items() if isinstance(answer, Refused)}


async def test_a_suspension_refuses_every_act_with_an_entry_that_can_be_replayed(
    acts: Rig,
) -> None:
    (ref,) = await acts.customers(1)
    await put_people(acts)
    await acts.suspensions.suspend(
        ANALYST, agent_id="a1", reason="under review", ends_at=acts.clock.now() + 60 * MINUTE
    )
    found = await refusals(acts, ref)
    log = acts.log()
    for act, answer in found.items():
        entry = entry_of(answer.receipt, log)
        assert (answer.code, entry.kind) == (RefusalCode.SUSPENDED, EntryKind.REFUSAL)
        assert (entry.event.act, bool(entry.event.facts_id)) == (act.value, True)
        with acts.store.read() as view:
            assert view.facts(entry.event.facts_id) is not None


@pytest.mark.parametrize(
    ("customer", "purpose"),
    [("mine", "curiosity"), ("nobody", "support_case"), ("mine", "outreach")],
)
async def test_every_refusal_offers_a_next_step(acts: Rig, customer: str, purpose: str) -> None:
    (ref,) = await acts.customers(1)
    asked = {"mine": ref, "nobody": "nobody"}[customer]
    if customer == "nobody":
        answer = await acts.broker.view(AGENT, ViewRequest(customer=asked, purpose=purpose))
        assert isinstance(answer, Refused)
        assert answer.steps
        return
    assert all(answer.steps for answer in (await refusals(acts, asked, purpose)).values())


async def test_own_budgets_of_all_acts_are_listed_and_no_customers(acts: Rig) -> None:
    names = {budget.name for budget in await acts.broker.quota(AGENT)}
    assert {"views-day", "reveals-day", "searches-day", "contacts-day"} <= names
    assert "tries-of-customer" not in names
