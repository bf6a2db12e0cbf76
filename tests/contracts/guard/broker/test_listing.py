"""A ticket queue: masked whatever the mode, an outcome and an entry for each."""

import json
from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.views import Failed, ListRequest, NextStep, RefusalCode, Refused, Served
from policies.model import Form, Link, Mode
from tests.support.log import entry_of
from tests.support.people import (
    AGENT,
    ANALYST,
    DIRECTORY,
    SECOND,
    make_case_put,
    make_customer,
    put_people,
)
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


def queue(*refs: str) -> ListRequest:
    return ListRequest(customers=refs, purpose="support_case")


async def put_open(acts: Rig, ref: str, opened_by: str | None = None) -> None:
    """An open case that nobody works on yet."""
    put = replace(make_case_put(f"open-{ref}", ref), assignments=(), opened_by=opened_by)
    await acts.cases.put(DIRECTORY, put)


async def waiting(acts: Rig, count: int) -> list[str]:
    """Customers with an open case each."""
    refs = await acts.customers(count)
    for ref in refs:
        await put_open(acts, ref)
    return list(refs)


async def test_a_queue_is_masked_and_each_customer_has_an_entry(acts: Rig) -> None:
    refs = await waiting(acts, 30)
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
    (good,) = await waiting(acts, 1)
    (gone,) = (await acts.enrolment.enrol(make_caller(), [make_customer("no-row")])).values()
    await put_open(acts, gone)
    answers = await acts.broker.listing(AGENT, queue("nobody", good, gone))
    assert [type(a) for a in answers] == [Refused, Served, Failed]
    foreign = await acts.broker.listing(make_caller(tenant="other"), queue("nobody", good))
    first, second = (a for a in foreign if isinstance(a, Refused))
    assert first.code is second.code is RefusalCode.UNKNOWN_CUSTOMER
    assert (first.reasons, first.steps) == (second.reasons, second.steps)


async def test_the_budget_holds_within_one_queue(acts: Rig) -> None:
    refs = await waiting(acts, 40)
    await acts.broker.listing(AGENT, queue(*refs))
    answers = await acts.broker.listing(AGENT, queue(*refs))
    assert sum(isinstance(a, Served) for a in answers) == 20
    assert {a.code for a in answers if isinstance(a, Refused)} == {RefusalCode.QUOTA}


async def test_a_queue_stays_masked_where_views_are_only_observed(acts: Rig) -> None:
    (ref,) = await waiting(acts, 1)
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


async def test_a_customer_without_any_open_case_stands_in_no_queue(acts: Rig) -> None:
    bare, own, seen = await acts.customers(3)
    await put_open(acts, own, opened_by="a1")
    await put_open(acts, seen)
    answers = await acts.broker.listing(AGENT, queue(bare, own, seen))
    assert [type(a) for a in answers] == [Refused, Refused, Served]
    for refused in answers[:2]:
        assert isinstance(refused, Refused)
        assert refused.determined_by == ("row-needs-case",)
        assert refused.steps[0] is NextStep.VIEW
    last = [entry.event for entry in acts.log()[-3:]]
    assert {(e.act, e.link) for e in last} == {("list", Link.NONE), ("list", Link.WAITING)}
    assert all(s.case == "" for e in acts.log()[-3:] for s in e.subjects if s is not None)
