"""Bulk work that is bounded, on both engines."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.purposes.list_members import digest_of
from guard.purposes.list_rows import BadRow, Fault, ListRow
from guard.purposes.work_lists import APPROVE_WITHIN, CHUNK, MAX_ROWS, PACE
from guard.views import Contacted, ContactRequest, ListRequest, Refused, Served
from policies.model import ActorKind, Role
from tests.support.makers import NOON, TENANT
from tests.support.people import AGENT, DIRECTORY, approve_list, make_customer, make_list
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio


LEAD = make_caller("lead-9", role=Role.LEAD, team="outreach", line=("head-9",))
OTHER = make_caller("lead-8", role=Role.LEAD, team="sales", line=("head-8",))
THIRD = make_caller("lead-7", role=Role.MANAGER, team="claims", line=("head-7",))
BESIDE = make_caller("lead-6", role=Role.LEAD, team="sales", line=("head-8",))
OF_LEAD = make_caller("head-9", role=Role.MANAGER, team="outreach", line=())


async def staffed(rig: Rig) -> None:
    people = (LEAD, OTHER, THIRD, BESIDE, OF_LEAD, AGENT)
    await rig.directory.put(DIRECTORY, [row_of(one) for one in people])


async def stream(rows: Iterable[ListRow | BadRow]) -> AsyncIterator[ListRow | BadRow]:
    for row in rows:
        yield row


def by_ref(*refs: str) -> AsyncIterator[ListRow | BadRow]:
    return stream(ListRow(line=n, customer=ref) for n, ref in enumerate(refs, 2))


def states(rig: Rig) -> list[tuple[object, object]]:
    bodies = [e.event.body for e in rig.log() if e.kind is EntryKind.WORK_LIST]
    return [(body["state"], body["digest"]) for body in bodies]


async def test_a_list_counts_once_two_other_lines_approved_it(rig: Rig) -> None:
    on_list, off_list = await rig.customers(2)
    await staffed(rig)
    put = make_list("w1", (on_list,), rig.clock.now() + DAY)
    put = replace(put, starts_at=rig.clock.now() - 1)
    await rig.work_lists.propose(LEAD, put)
    ask = rig.asks(on_list, purpose="outreach")
    first = await approve_list(rig, OTHER, "w1")
    assert (first.row.first_approved_by, first.row.approved_by) == ("lead-8", None)
    assert isinstance(await rig.broker.view(AGENT, ask), Refused)
    second = await approve_list(rig, THIRD, "w1")
    assert (second.row.first_approved_by, second.row.approved_by) == ("lead-8", "lead-7")
    answer = await rig.broker.view(AGENT, ask)
    assert isinstance(answer, Served)
    assert rig.entry(answer.receipt).event.link == "campaign"
    off = await rig.broker.view(AGENT, rig.asks(off_list, purpose="outreach"))
    assert isinstance(off, Refused)
    with pytest.raises(ConflictError):
        await approve_list(rig, BESIDE, "w1")
    with pytest.raises(ConflictError):
        await rig.work_lists.propose(LEAD, put)
    digest = digest_of([on_list])
    assert states(rig) == [
        ("proposed", digest),
        ("first_approved", digest),
        ("approved", digest),
    ]


async def test_who_is_too_close_approves_nothing(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", (ref,)))
    bot = replace(OTHER, kind=ActorKind.AI, actor="bot-1")
    for nobody in (LEAD, OF_LEAD, AGENT, bot):
        with pytest.raises(AccessDeniedError):
            await approve_list(rig, nobody, "w1")
    await approve_list(rig, OTHER, "w1")
    with pytest.raises(AccessDeniedError, match="you have approved this list already"):
        await approve_list(rig, OTHER, "w1")
    with pytest.raises(AccessDeniedError, match="first approver's reporting line"):
        await approve_list(rig, BESIDE, "w1")
    with pytest.raises(AccessDeniedError, match="proposer's reporting line"):
        await approve_list(rig, OF_LEAD, "w1")
    assert (await rig.work_lists.get(LEAD, "w1")).row.approved_by is None


async def test_of_two_approvals_at_once_one_is_first_and_one_is_second(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", (ref,)))
    both = await asyncio.gather(*(approve_list(rig, a, "w1") for a in (OTHER, THIRD)))
    assert sorted(s.row.approved_by is None for s in both) == [False, True]
    await rig.work_lists.propose(LEAD, make_list("w2", (ref,)))
    twice = await asyncio.gather(
        *(approve_list(rig, OTHER, "w2") for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in twice) == ["AccessDeniedError", "StatedList"]
    close = await asyncio.gather(
        *(approve_list(rig, a, "w2") for a in (THIRD, THIRD)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in close) == ["ConflictError", "StatedList"]


async def test_lists_that_make_no_sense_are_refused(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    for put in (
        make_list("w", ()),
        make_list("w", (ref,), NOON),
        make_list("w", (ref,), NOON + 93 * DAY),
        make_list("w", (ref, "nobody")),
        replace(make_list("w", (ref,)), pace=0),
        replace(make_list("w", (ref,)), pace=1_001),
        replace(make_list("w", (ref,)), fields=()),
    ):
        with pytest.raises(InvalidRequestError):
            await rig.work_lists.propose(LEAD, put)
    with pytest.raises(NotFoundError):
        await approve_list(rig, OTHER, "w-none")
    with pytest.raises(NotFoundError):
        await rig.work_lists.upload(LEAD, "w-none", by_ref(ref))
    with pytest.raises(AccessDeniedError):
        await rig.work_lists.get(replace(AGENT, scopes=frozenset()), "w")


async def test_fields_and_pace_are_kept_and_in_the_entry(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    put = replace(make_list("w1", (ref,)), fields=("full_name", "phone"), pace=12)
    await rig.work_lists.propose(LEAD, put)
    row = (await rig.work_lists.get(LEAD, "w1")).row
    assert (row.fields, row.pace) == (("full_name", "phone"), 12)
    body = rig.log()[-1].event.body
    assert (body["fields"], body["pace"], body["ends_at"]) == (
        ["full_name", "phone"],
        12,
        NOON + DAY,
    )


async def test_the_pace_holds_for_every_act_and_counts_a_customer_once(rig: Rig) -> None:
    refs = await rig.customers(4)
    await staffed(rig)
    put = make_list("w1", tuple(refs), rig.clock.now() + DAY)
    await rig.work_lists.propose(LEAD, replace(put, starts_at=rig.clock.now() - 1, pace=3))
    for approver in (OTHER, THIRD):
        await approve_list(rig, approver, "w1")
    queue = ListRequest(customers=tuple(refs[:2]), purpose="outreach")
    assert all(isinstance(a, Served) for a in await rig.broker.listing(AGENT, queue))
    assert isinstance(await rig.broker.view(AGENT, rig.asks(refs[0], purpose="outreach")), Served)
    call = ContactRequest(customer=refs[1], channel="call", purpose="outreach")
    assert isinstance(await rig.broker.contact(AGENT, call), Contacted)
    assert isinstance(await rig.broker.contact(AGENT, replace(call, customer=refs[2])), Contacted)
    over = [
        await rig.broker.contact(AGENT, replace(call, customer=refs[3])),
        await rig.broker.view(AGENT, rig.asks(refs[3], purpose="outreach")),
        *await rig.broker.listing(AGENT, replace(queue, customers=(refs[3],))),
    ]
    assert [a.exceeded for a in over if isinstance(a, Refused)] == [(PACE,)] * 3
    assert isinstance(await rig.broker.contact(AGENT, call), Contacted)


async def test_a_proposal_lapses_and_an_upload_opens_it_again(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", (ref,), rig.clock.now() + 80 * DAY))
    await approve_list(rig, OTHER, "w1")
    rig.clock.advance(APPROVE_WITHIN)
    with pytest.raises(ConflictError, match="upload its customers again"):
        await approve_list(rig, THIRD, "w1")
    await rig.work_lists.upload(LEAD, "w1", by_ref(ref))
    rig.clock.advance(APPROVE_WITHIN - 1)
    await approve_list(rig, OTHER, "w1")
    assert (await approve_list(rig, THIRD, "w1")).row.approved_by == "lead-7"


async def test_a_list_that_has_ended_is_not_approved(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", (ref,), rig.clock.now() + DAY))
    rig.clock.advance(DAY)
    with pytest.raises(ConflictError, match="come to its end"):
        await approve_list(rig, OTHER, "w1")


async def test_an_upload_counts_each_customer_once_and_tells_bad_lines(rig: Rig) -> None:
    refs = await rig.customers(5)
    stranger = make_caller("sync-2", tenant="other", role=Role.SERVICE)
    theirs = (await rig.enrolment.enrol(stranger, [make_customer("1")]))["crm", "1"]
    await rig.work_lists.propose(LEAD, replace(make_list("w1", ()), customers=None))
    rows: list[ListRow | BadRow] = [
        *(ListRow(line=n, customer=ref) for n, ref in enumerate(refs[:3], 2)),
        ListRow(line=5, customer=refs[0]),
        BadRow(line=6, fault=Fault.UNREADABLE),
        ListRow(line=7, source="crm", source_key="4"),
        ListRow(line=8, source="crm", source_key="404"),
        ListRow(line=9, source="erp", source_key="1"),
        ListRow(line=10, customer=theirs),
    ]
    upload, stated = await rig.work_lists.upload(LEAD, "w1", stream(rows))
    assert (upload.rows, upload.rejected, upload.duplicates) == (9, 4, 1)
    assert [(bad.line, bad.fault.value) for bad in upload.faults] == [
        (6, "unreadable"),
        (8, "unknown_customer"),
        (9, "unknown_customer"),
        (10, "unknown_customer"),
    ]
    assert stated.row.size == 4
    assert stated.digest == digest_of(sorted(refs[:4]))
    again, same = await rig.work_lists.upload(LEAD, "w1", by_ref(*reversed(refs[:4])))
    assert (again.duplicates, same.digest) == (0, stated.digest)


async def test_changing_a_list_takes_the_first_approval_back(rig: Rig) -> None:
    one, other = await rig.customers(2)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", (one,)))
    await approve_list(rig, OTHER, "w1")
    before = (await rig.work_lists.get(LEAD, "w1")).digest
    await rig.work_lists.upload(LEAD, "w1", by_ref(one, other))
    row = (await rig.work_lists.get(LEAD, "w1")).row
    assert (row.first_approved_by, row.size) == (None, 2)
    with pytest.raises(ConflictError, match="not the list that was read"):
        await rig.work_lists.approve(OTHER, "w1", before)
    await rig.work_lists.approve(OTHER, "w1", digest_of((one, other)))
    await approve_list(rig, THIRD, "w1")
    with pytest.raises(ConflictError, match="is approved"):
        await rig.work_lists.upload(LEAD, "w1", by_ref(one))
    assert (await rig.work_lists.get(LEAD, "w1")).row.size == 2


async def test_only_its_proposer_uploads_and_an_empty_list_is_not_approved(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, replace(make_list("w1", ()), customers=None))
    with pytest.raises(AccessDeniedError):
        await rig.work_lists.upload(OTHER, "w1", by_ref(ref))
    with pytest.raises(AccessDeniedError):
        await rig.work_lists.upload(replace(LEAD, scopes=frozenset()), "w1", by_ref(ref))
    with pytest.raises(ConflictError, match="is empty"):
        await approve_list(rig, OTHER, "w1")


async def test_an_upload_that_breaks_off_leaves_nothing_to_approve(rig: Rig) -> None:
    refs = await rig.customers(3)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", tuple(refs)))

    async def broken() -> AsyncIterator[ListRow | BadRow]:
        for n in range(CHUNK + 1):
            yield ListRow(line=n + 2, customer=refs[0])
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await rig.work_lists.upload(LEAD, "w1", broken())
    with pytest.raises(ConflictError, match="is empty"):
        await approve_list(rig, OTHER, "w1")
    with rig.store.read() as view:
        assert list(view.work_list_members(TENANT, "w1")) == [refs[0]]


async def test_more_rows_than_a_list_may_have_are_refused(rig: Rig) -> None:
    await rig.work_lists.propose(LEAD, replace(make_list("w1", ()), customers=None))
    rows = (BadRow(line=n, fault=Fault.UNREADABLE) for n in range(MAX_ROWS + 1))
    with pytest.raises(InvalidRequestError):
        await rig.work_lists.upload(LEAD, "w1", stream(rows))


async def test_nobody_approves_half_an_upload(rig: Rig) -> None:
    refs = await rig.customers(2)
    await staffed(rig)
    await rig.work_lists.propose(LEAD, make_list("w1", tuple(refs)))

    async def slow() -> AsyncIterator[ListRow | BadRow]:
        for n in range(CHUNK):
            yield ListRow(line=n + 2, customer=refs[0])
        with pytest.raises(ConflictError, match="is empty"):
            await approve_list(rig, OTHER, "w1")
        yield ListRow(line=CHUNK + 2, customer=refs[1])

    upload, stated = await rig.work_lists.upload(LEAD, "w1", slow())
    assert (upload.duplicates, stated.row.size) == (CHUNK - 1, 2)
