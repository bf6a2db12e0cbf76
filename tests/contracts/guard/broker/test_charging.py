"""What budgets leave behind names no customer, on both engines."""

from dataclasses import replace

import msgspec
import pytest
import sqlalchemy as sa

from guard.quotas import charged_in, rebuild
from guard.views import (
    ContactRequest,
    ListRequest,
    Refused,
    RevealRequest,
    SearchRequest,
    Served,
    VerifyRequest,
)
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio

PHONE, EMAIL = "+34 612 345 678", "maria.gonzalez@example.com"
SPELT = (PHONE, EMAIL, "612345678", "maria.gonzalez", "5678")
TABLES = ("budget_counter", "budget_mark", "budget_slot", "budget_principal", "facts")


async def every_act(rig: Rig) -> str:
    """All acts on one customer, carried out and refused; whose reference."""
    (ref,) = await rig.customers(1)
    case, purpose = await rig.case(ref), "support_case"
    rig.lookup.refs["email", EMAIL] = (ref,)
    await rig.broker.search(AGENT, SearchRequest(kind="email", value=EMAIL, purpose=purpose))
    viewed = await rig.broker.view(AGENT, rig.asks(ref, case))
    assert isinstance(viewed, Served)
    await rig.broker.listing(AGENT, ListRequest(customers=(ref,), purpose=purpose))
    await rig.broker.reveal(
        AGENT,
        RevealRequest(view=viewed.receipt.entry_id, fields=("email",), reason="to spell it"),
    )
    mail = ContactRequest(customer=ref, purpose=purpose, case=case, channel="mail", text="Hello")
    await rig.broker.contact(AGENT, mail)
    tried = VerifyRequest(customer=ref, field="phone", part="last4", claim="5678", purpose=purpose)
    answers = [await rig.broker.verify(AGENT, tried) for _ in range(6)]
    assert isinstance(answers[-1], Refused)
    return ref


async def test_neither_events_nor_budgets_nor_facts_name_a_customer(
    acts: Rig, store_url: str
) -> None:
    ref = await every_act(acts)
    events = [msgspec.json.encode(entry.event).decode() for entry in acts.log()]
    engine = sa.create_engine(store_url)
    with engine.connect() as connection:
        rows = {
            name: str(connection.execute(sa.text(f"select * from {name}")).all())  # noqa: S608 - a constant
            for name in TABLES
        }
    engine.dispose()
    assert all(rows[name] != "[]" for name in ("budget_counter", "budget_slot", "facts"))
    for text in (*events, *rows.values()):
        assert ref not in text
        assert not any(said in text for said in SPELT)


async def test_a_mark_of_a_distinct_customer_names_nobody(rig: Rig, store_url: str) -> None:
    (ref,) = await rig.customers(1)
    assert isinstance(await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref))), Served)
    engine = sa.create_engine(store_url)
    with engine.connect() as connection:
        marks = set(connection.execute(sa.text("select ref from budget_mark")).scalars())
    engine.dispose()
    with rig.store.read() as view:
        subject = view.subject("acme", ref)
    assert subject is not None
    assert marks == {rig.keyring.counted_as(subject)}
    assert ref not in marks


async def test_what_is_counted_by_customer_is_rebuilt_without_the_subjects(acts: Rig) -> None:
    await every_act(acts)
    erased = [replace(entry, subjects=tuple(None for _ in entry.subjects)) for entry in acts.log()]
    now = acts.clock.now()
    again = rebuild((one for one in map(charged_in, erased) if one is not None), now)
    with acts.store.read() as view:
        stored = view.budget_state({key for key, _, _ in again.counters}, (), now)
    assert {k: c.used for k, c in again.counters.items()} == {
        k: c.used for k, c in stored.counters.items()
    }
    tries = [c.used for (key, *_), c in again.counters.items() if key.startswith("customer:")]
    assert tries == [5, 5]
