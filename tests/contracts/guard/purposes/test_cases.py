"""Cases come in, on both engines."""

from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.purposes.cases import AssignmentPut
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
