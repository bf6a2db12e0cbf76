"""A ticket queue: masked whatever the mode, an outcome and an entry for each."""

import json

import pytest

from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.views import Failed, ListRequest, RefusalCode, Refused, Served
from policies.model import Form, Mode
from tests.support.log import entry_of
from tests.support.people import AGENT, ANALYST, SECOND, make_customer, put_people
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


def queue(*refs: str) -> ListRequest:
    return ListRequest(customers=refs, purpose="support_case")


async def test_a_queue_is_masked_and_each_customer_has_an_entry(acts: Rig) -> None:
    refs = await acts.customers(30)
    answers = await acts.broker.listing(AGENT, queue(*refs))
    served = [a for a in answers if isinstance(a, Served)]
    assert len(served) == 30
    assert all(note.form < Form.PLAIN for a in served for note in a.fields)
    assert all(b"gold" not in a.record.to_json_bytes() for a in served)
    log = acts.log()
    entries = [entry_of(a.receipt, log) for a in served]
    assert {(e.kind, e.event.act) for e in entries} == {(EntryKind.LISTED, "list")}
    assert [e.refs for e in entries] == [(ref,) for ref in refs]
    assert {c.measure for e in entries for c in e.event.charges} == {"listings"}
    used = {b.name: b.used for b in await acts.broker.quota(AGENT)}
    assert (used["listings-day"], used["views-day"]) == (30, 0)


async def test_one_bad_customer_does_not_disturb_the_others(acts: Rig) -> None:
    (good,) = await acts.customers(1)
    (gone,) = (await acts.enrolment.enrol(make_caller(), [make_customer("no-row")])).values()
    answers = await acts.broker.listing(AGENT, queue("nobody", good, gone))
    assert [type(a) for a in answers] == [Refused, Served, Failed]
    foreign = await acts.broker.listing(make_caller(tenant="other"), queue("nobody", good))
    first, second = (a for a in foreign if isinstance(a, Refused))
    assert first.code is second.code is RefusalCode.UNKNOWN_CUSTOMER
    assert (first.reasons, first.steps) == (second.reasons, second.steps)


async def test_the_budget_holds_within_one_queue(acts: Rig) -> None:
    refs = await acts.customers(40)
    await acts.broker.listing(AGENT, queue(*refs))
    answers = await acts.broker.listing(AGENT, queue(*refs))
    assert sum(isinstance(a, Served) for a in answers) == 20
    assert {a.code for a in answers if isinstance(a, Refused)} == {RefusalCode.QUOTA}


async def test_a_queue_stays_masked_where_views_are_only_observed(acts: Rig) -> None:
    (ref,) = await acts.customers(1)
    await put_people(acts)
    rule = await acts.modes.propose(ANALYST, vendor="", team="", purpose="", mode=Mode.OBSERVE)
    await acts.modes.approve(SECOND, rule.id)
    (answer,) = await acts.broker.listing(AGENT, queue(ref))
    assert isinstance(answer, Served)
    record = json.loads(answer.record.to_json_bytes())
    assert record["plan"] != "gold"
    assert "maria.gonzalez" not in str(record)
    assert (answer.mode, answer.would) == (Mode.OBSERVE, "")


@pytest.mark.parametrize("count", [0, 51])
async def test_a_queue_has_its_bounds(acts: Rig, count: int) -> None:
    with pytest.raises(InvalidRequestError):
        await acts.broker.listing(AGENT, queue(*("c",) * count))
