"""Who saw whom, proven and exported, on both engines."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    ProofError,
)
from guard.ledger.proofs import parse_tlog_proof
from guard.rows import LogQuery
from tests.support.makers import TENANT
from tests.support.people import AGENT, AUDITOR
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_both_ways_give_the_same_views_and_asking_is_an_entry(rig: Rig) -> None:
    ref, other = await rig.customers(2)
    for customer in (ref, other, ref):
        await rig.broker.view(AGENT, rig.asks(customer, await rig.case(customer)))
    kinds = (EntryKind.VIEW,)
    by_customer = await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, ref=ref, kinds=kinds))
    assert [e.refs for e in by_customer] == [(ref,), (ref,)]
    by_agent = await rig.auditing.views(
        AUDITOR, LogQuery(tenant=TENANT, agent_id="a1", kinds=kinds)
    )
    assert len(by_agent) == 3
    asked = [e for e in rig.log() if e.kind is EntryKind.AUDIT_QUERY]
    assert [e.refs for e in asked] == [(ref,), ()]


async def test_pages_follow_one_another_without_gap_or_repeat(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    for _ in range(7):
        await rig.broker.view(AGENT, rig.asks(ref, case))
    query = LogQuery(tenant=TENANT, ref=ref, kinds=(EntryKind.VIEW,), limit=3)
    seen: list[int] = []
    while page := await rig.auditing.views(AUDITOR, query):
        seen += [e.index for e in page]
        query = replace(query, before=page[-1].index)
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


async def test_who_may_read(rig: Rig) -> None:
    for caller, query in (
        (AGENT, LogQuery(tenant=TENANT)),
        (AUDITOR, LogQuery(tenant="other")),
    ):
        with pytest.raises(AccessDeniedError):
            await rig.auditing.views(caller, query)
    with pytest.raises(InvalidRequestError):
        await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, limit=501))
    with pytest.raises(NotFoundError):
        await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, ref="nobody"))
    with pytest.raises(NotFoundError):
        await rig.auditing.checkpoint()


async def test_every_published_entry_has_a_proof(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
    index = rig.entry(answer.receipt).index
    proof = parse_tlog_proof(await rig.auditing.proof(index))
    assert proof.index == index
    assert b"\n\nt\n" in await rig.auditing.proof(0)
    with pytest.raises(NotFoundError):
        await rig.auditing.proof(10_000)


async def test_a_view_cannot_be_hidden_by_editing_what_is_searched(
    rig: Rig, store_url: str
) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    index = rig.entry(answer.receipt).index
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("update detail_event set agent = 'somebody' where idx = :i"), {"i": index}
        )
    engine.dispose()
    with pytest.raises(ProofError) as caught:
        rig.log()
    assert caught.value.index == index
