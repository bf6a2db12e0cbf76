"""Customers who belong together, on both engines."""

from dataclasses import replace

import pytest

from guard.entries import EntryKind
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.purposes.relations import MAX_GROUP, RelationPut
from guard.views import Served
from tests.support.people import AGENT, DIRECTORY
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def test_a_group_is_related_in_all_directions_and_twice_is_once(rig: Rig) -> None:
    refs = await rig.customers(3)
    put = RelationPut(kind="household", customers=(*refs, refs[0]))
    assert await rig.relations.put(DIRECTORY, put) == 3
    before = len(rig.log())
    assert await rig.relations.put(DIRECTORY, put) == 0
    assert len(rig.log()) == before
    with rig.store.read() as view:
        for ref in refs:
            assert [r.other for r in view.related(AGENT.tenant, ref)] == sorted(set(refs) - {ref})
    entry = rig.log()[-1]
    assert (entry.kind, entry.event.body) == (
        EntryKind.RELATION,
        {"kind": "household", "size": 3, "active": True},
    )
    assert set(entry.refs) == set(refs)
    assert not any(ref in str(entry.event) for ref in refs)


async def test_a_relation_ends(rig: Rig) -> None:
    refs = tuple(await rig.customers(2))
    put = RelationPut(kind="business", customers=refs)
    over = replace(put, is_over=True)
    assert await rig.relations.put(DIRECTORY, over) == 0
    await rig.relations.put(DIRECTORY, put)
    assert await rig.relations.put(DIRECTORY, replace(over, kind="household")) == 0
    assert await rig.relations.put(DIRECTORY, over) == 1
    with rig.store.read() as view:
        assert view.related(AGENT.tenant, refs[0]) == []
    assert rig.log()[-1].event.body["active"] is False


async def test_the_case_of_one_explains_a_look_at_the_other_weakly(rig: Rig) -> None:
    one, other = await rig.customers(2)
    await rig.relations.put(DIRECTORY, RelationPut(kind="household", customers=(one, other)))
    await rig.case(one)
    answer = await rig.broker.view(AGENT, rig.asks(other, reason="joint account"))
    assert isinstance(answer, Served)
    assert rig.entry(answer.receipt).event.link == "related"


async def test_groups_that_make_no_sense_are_refused(rig: Rig) -> None:
    one, other = await rig.customers(2)
    crowd = tuple(f"c{n}" for n in range(MAX_GROUP + 1))
    for put in (
        RelationPut(kind="friends", customers=(one, other)),
        RelationPut(kind="household", customers=(one, one)),
        RelationPut(kind="household", customers=crowd),
    ):
        with pytest.raises(InvalidRequestError):
            await rig.relations.put(DIRECTORY, put)
    put = RelationPut(kind="household", customers=(one, "nobody"))
    with pytest.raises(NotFoundError):
        await rig.relations.put(DIRECTORY, put)
    foreign = make_caller("sync", tenant="other")
    with pytest.raises(NotFoundError):
        await rig.relations.put(foreign, replace(put, customers=(one, other)))
    with pytest.raises(AccessDeniedError):
        await rig.relations.put(make_caller(scopes=frozenset()), put)
