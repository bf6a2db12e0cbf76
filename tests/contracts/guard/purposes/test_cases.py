"""Cases come in, on both engines."""

from dataclasses import replace

import pytest

from guard.clock import DAY, SECOND, Micros
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.purposes.cases import Cases
from guard.purposes.reports import AssignmentPut, CasePut
from guard.rows import WebhookDeliveryRow
from policies.model import ActorKind
from tests.support.makers import TENANT
from tests.support.people import AGENT, DIRECTORY, make_case_put, make_customer, make_list
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio


async def test_each_service_asks_for_its_scope(rig: Rig) -> None:
    bare = make_caller(scopes=frozenset())
    with pytest.raises(AccessDeniedError):
        await rig.enrolment.enrol(bare, [make_customer("1")])
    with pytest.raises(AccessDeniedError):
        await rig.cases.put(bare, make_case_put("k", "r"))
    with pytest.raises(AccessDeniedError):
        await rig.directory.put(bare, [row_of(AGENT)])
    with pytest.raises(AccessDeniedError):
        await rig.work_lists.propose(bare, make_list("w", ()))


async def test_a_case_may_mint_its_customer_and_twice_is_once(rig: Rig) -> None:
    put = replace(make_case_put("k1", None), source="crm", source_key="5")
    first = await rig.cases.put(DIRECTORY, put)
    before = len(rig.log())
    assert await rig.cases.put(DIRECTORY, put) == first
    assert len(rig.log()) == before


async def test_changes_of_a_case_are_entries(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    put = make_case_put("k1", ref)
    await rig.cases.put(DIRECTORY, put)
    await rig.cases.put(
        DIRECTORY,
        replace(
            put,
            closed_at=9,
            assignments=(AssignmentPut(agent="a1", how="inbound", from_at=2, to_at=9),),
        ),
    )
    bodies = [
        (e.kind, e.event.body.get("open", e.event.body.get("start")))
        for e in rig.log()
        if e.kind in {EntryKind.CASE, EntryKind.ASSIGNMENT}
    ]
    assert bodies == [
        (EntryKind.CASE, True),
        (EntryKind.ASSIGNMENT, True),
        (EntryKind.CASE, False),
        (EntryKind.ASSIGNMENT, False),
    ]


async def test_cases_that_make_no_sense_are_refused(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    bad_how = (AssignmentPut(agent="a", how="magic", from_at=1),)
    bad_end = (AssignmentPut(agent="a", how="qa", from_at=5, to_at=4),)
    for case in (
        make_case_put("k", None),
        replace(make_case_put("k", ref), source_key="1"),
        replace(make_case_put("k", ref), closed_at=0),
        replace(make_case_put("k", ref), assignments=bad_how),
        replace(make_case_put("k", ref), assignments=bad_end),
    ):
        with pytest.raises(InvalidRequestError):
            await rig.cases.put(DIRECTORY, case)
    with pytest.raises(NotFoundError):
        await rig.cases.put(DIRECTORY, make_case_put("k", "nobody"))


async def test_a_case_does_not_change_its_customer(rig: Rig) -> None:
    one, other = await rig.customers(2)
    await rig.cases.put(DIRECTORY, make_case_put("k1", one))
    with pytest.raises(ConflictError):
        await rig.cases.put(DIRECTORY, make_case_put("k1", other))


def held(agent: str, how: str, start: int, end: int | None = None) -> AssignmentPut:
    return AssignmentPut(agent=agent, how=how, from_at=start, to_at=end)


def holds(rig: Rig, case_id: str = "k1") -> list[tuple[str, int | None]]:
    with rig.store.read() as view:
        return [(a.agent_id, a.to_at) for a in view.assignments(TENANT, case_id)]


async def test_a_transfer_ends_the_senders_hold_and_says_so_once(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    put = make_case_put("k1", ref)
    await rig.cases.put(DIRECTORY, put)
    over = replace(put, assignments=(held("a2", "transfer", 5),))
    whole = replace(put, assignments=(held("a1", "inbound", 2), held("a2", "transfer", 5)))
    await rig.cases.put(DIRECTORY, over)
    before = len(rig.log())
    assert holds(rig) == [("a1", 5), ("a2", None)]
    await rig.cases.put(DIRECTORY, over)
    await rig.cases.put(DIRECTORY, whole)
    assert (len(rig.log()), holds(rig)) == (before, [("a1", 5), ("a2", None)])
    said = [
        (e.event.body["agent"], e.event.body["start"])
        for e in rig.log()
        if e.kind is EntryKind.ASSIGNMENT
    ]
    assert said == [("a1", True), ("a1", False), ("a2", True)]


async def test_who_is_asked_in_ends_nobodys_hold(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    put = make_case_put("k1", ref)
    await rig.cases.put(
        DIRECTORY, replace(put, assignments=(*put.assignments, held("a2", "consult", 5)))
    )
    assert holds(rig) == [("a1", None), ("a2", None)]


async def test_a_planned_end_is_said_and_is_a_start_all_the_same(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    end = rig.clock.now() + DAY
    put = replace(make_case_put("k1", ref), assignments=(held("a1", "inbound", 2, end),))
    await rig.cases.put(DIRECTORY, put)
    body = rig.log()[-1].event.body
    assert (body["start"], body["until"], body["late_links"]) == (True, end, 0)


async def test_who_opened_a_case_is_not_forgotten(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    put = make_case_put("k1", ref)
    await rig.cases.put(DIRECTORY, replace(put, opened_by="a1"))
    row = await rig.cases.put(DIRECTORY, put)
    assert row.opened_by == "a1"


class OneCustomer:
    """Knows one e-mail address of one customer, and one that two share."""

    def __init__(self, ref: str) -> None:
        self.ref = ref

    async def find(self, tenant: str, kind: str, value: str) -> tuple[str, ...]:
        found = {"m@example.com": (self.ref,), "both@example.com": (self.ref, "other")}
        return found.get(value, ()) if (tenant, kind) == (TENANT, "email") else ()


async def test_a_customer_is_found_by_an_identifier(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    cases = Cases(rig.committer, rig.enrolment, rig.clock, OneCustomer(ref))
    put = replace(make_case_put("k1", None), identifier=("email", "m@example.com"))
    assert "example.com" not in repr(put)
    assert (await cases.put(DIRECTORY, put)).ref == ref
    before = len(rig.log())
    for value, error in (("x@example.com", NotFoundError), ("both@example.com", ConflictError)):
        with pytest.raises(error) as caught:
            await cases.put(DIRECTORY, replace(put, id="k2", identifier=("email", value)))
        assert value not in str(caught.value)
    with pytest.raises(InvalidRequestError):
        await rig.cases.put(DIRECTORY, put)
    with pytest.raises(InvalidRequestError):
        await cases.put(DIRECTORY, replace(put, customer=ref))
    assert len(rig.log()) == before


async def test_a_delivery_counts_once_and_its_replay_is_refused(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    sent = WebhookDeliveryRow(tenant=TENANT, source="zendesk", id="m1", at=rig.clock.now())
    put = make_case_put("k1", ref)
    await rig.cases.deliver(DIRECTORY, put, sent)
    before = len(rig.log())
    other = replace(put, channel="mail")
    with pytest.raises(ConflictError):
        await rig.cases.deliver(DIRECTORY, other, sent)
    await rig.cases.deliver(DIRECTORY, other, replace(sent, at=sent.at + SECOND))
    assert len(rig.log()) == before
    with pytest.raises(ConflictError):
        await rig.cases.deliver(DIRECTORY, other, replace(sent, at=sent.at + SECOND))
    await rig.cases.deliver(DIRECTORY, other, replace(sent, id="m2"))
    assert len(rig.log()) == before + 1


async def test_a_delivery_that_failed_may_come_again(rig: Rig) -> None:
    sent = WebhookDeliveryRow(tenant=TENANT, source="zendesk", id="m1", at=rig.clock.now())
    with pytest.raises(NotFoundError):
        await rig.cases.deliver(DIRECTORY, make_case_put("k1", "nobody"), sent)
    (ref,) = await rig.customers(1)
    await rig.cases.deliver(DIRECTORY, make_case_put("k1", ref), sent)
    assert holds(rig) == [("a1", None)]
    bare = make_caller(scopes=frozenset())
    with pytest.raises(AccessDeniedError):
        await rig.cases.deliver(bare, make_case_put("k2", ref), replace(sent, id="m9"))


async def reported(rig: Rig, put: CasePut, as_of: Micros | None) -> None:
    await rig.cases.put(DIRECTORY, replace(put, as_of=as_of))


async def test_an_older_report_does_not_reopen_a_case_and_is_recorded_as_ignored(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    now = rig.clock.now()
    put = make_case_put("k1", ref)
    await reported(rig, replace(put, closed_at=now - 5), now - 5)
    for as_of in (now - 6, now - 5):
        await reported(rig, put, as_of)
        assert rig.log()[-1].event.body == {"case": "k1", "ignored": True, "as_of": as_of}
    with rig.store.read() as view:
        row = view.case(TENANT, "k1")
    assert row is not None
    assert (row.closed_at, row.as_of) == (now - 5, now - 5)
    await reported(rig, put, now - 4)
    with rig.store.read() as view:
        row = view.case(TENANT, "k1")
    assert row is not None
    assert row.closed_at is None


async def test_without_a_time_of_its_own_a_report_is_as_new_as_its_arrival(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    put = make_case_put("k1", ref)
    await reported(rig, replace(put, closed_at=5), rig.clock.now() + DAY)
    rig.clock.advance(SECOND)
    await reported(rig, put, None)
    with rig.store.read() as view:
        row = view.case(TENANT, "k1")
    assert row is not None
    assert (row.closed_at, row.as_of) == (None, rig.clock.now())


async def test_an_older_report_gives_the_case_back_to_nobody(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    now = rig.clock.now()
    put = replace(make_case_put("k1", ref), assignments=())
    await reported(rig, replace(put, assignments=(held("a2", "inbound", now - 5),)), now - 5)
    await reported(rig, replace(put, channel="mail"), now - 1)
    await reported(rig, replace(put, assignments=(held("a1", "inbound", now - 9),)), now - 9)
    assert sorted(holds(rig)) == [("a1", now - 5), ("a2", None)]
    await reported(rig, replace(put, assignments=(held("a2", "inbound", now - 5),)), now - 6)
    await reported(rig, replace(put, assignments=(held("a3", "consult", now - 3),)), now - 3)
    assert sorted(holds(rig)) == [("a1", now - 5), ("a2", None), ("a3", None)]


async def test_who_writes_a_case_routes_nothing_to_themselves(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    bot = make_caller("bot", kind=ActorKind.AI, line=("hr-sync",))
    other = make_caller("bot-2", kind=ActorKind.AI, line=("somebody",))
    await rig.directory.put(DIRECTORY, [row_of(bot), row_of(other)])
    for n, agent in enumerate(("hr-sync", "bot", "bot-2", "a1")):
        put = replace(make_case_put(f"k{n}", ref), assignments=(held(agent, "inbound", 2),))
        await rig.cases.put(DIRECTORY, put)
    said = [e.event.body for e in rig.log() if e.kind is EntryKind.ASSIGNMENT]
    assert [(b["agent"], b["how"]) for b in said] == [
        ("hr-sync", "self"),
        ("bot", "self"),
        ("bot-2", "inbound"),
        ("a1", "inbound"),
    ]
    opened = [e.event.body["opened_by"] for e in rig.log() if e.kind is EntryKind.CASE]
    assert opened == ["hr-sync", "bot", "", ""]


async def test_a_customer_found_by_an_address_is_named_by_a_key_later(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    cases = Cases(rig.committer, rig.enrolment, rig.clock, OneCustomer(ref))
    mailed = replace(make_case_put("k1", None), identifier=("email", "m@example.com"))
    named = make_case_put("k1", ref)
    found = [(await cases.put(DIRECTORY, one)).found_by for one in (mailed, named, mailed)]
    assert found == ["email", None, None]
    bodies = [e.event.body for e in rig.log() if e.kind is EntryKind.CASE]
    assert [b.get("found_by") for b in bodies] == ["email", None]
