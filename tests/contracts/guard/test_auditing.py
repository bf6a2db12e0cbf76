"""Who saw whom, proven and exported, on both engines."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.entries import EntryKind
from guard.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    ProofError,
)
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.proofs import parse_tlog_proof
from guard.principals import LogScope
from guard.rows import LogCount, LogQuery
from tests.support.log import settle
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
    assert [e.refs for e in by_customer.entries] == [(ref,), (ref,)]
    by_agent = await rig.auditing.views(
        AUDITOR, LogQuery(tenant=TENANT, agent_id="a1", kinds=kinds), "case 7"
    )
    assert len(by_agent.entries) == 3
    asked = [e for e in rig.log() if e.kind is EntryKind.AUDIT_QUERY]
    assert [e.refs for e in asked] == [(ref,), ()]


async def test_pages_follow_one_another_without_gap_or_repeat(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    for _ in range(7):
        await rig.broker.view(AGENT, rig.asks(ref, case))
    query = LogQuery(tenant=TENANT, ref=ref, kinds=(EntryKind.VIEW,), limit=3)
    seen: list[int] = []
    while (page := await rig.auditing.views(AUDITOR, query)).following is not None:
        seen += [e.index for e in page.entries]
        query = replace(query, before=page.following)
    seen += [e.index for e in page.entries]
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


async def test_a_named_agent_is_asked_about_with_a_reason_that_is_kept(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    about = LogQuery(tenant=TENANT, agent_id="a1")
    for reason in ("", "  ", "x" * 2001):
        with pytest.raises(InvalidRequestError, match="reason"):
            await rig.auditing.views(AUDITOR, about, reason)
    await rig.auditing.views(AUDITOR, about, " case 7 ")
    await rig.auditing.views(AUDITOR, replace(about, ref=ref, field="contact"), "case 8")
    first, second = (e for e in rig.log() if e.kind is EntryKind.AUDIT_QUERY)
    assert (first.event.body["about"], first.event.body["reason"]) == ("a1", "case 7")
    # What was typed may name the customer, so it can be forgotten with them.
    assert "reason" not in second.event.body
    assert second.event.body["field"] == "contact"
    assert second.subjects[0] is not None
    assert second.subjects[0].reason == "case 8"


async def test_rows_stay_in_their_region_and_the_rest_is_counted(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    await rig.broker.view(AGENT, rig.asks(ref, case))
    query = LogQuery(tenant=TENANT, ref=ref, kinds=(EntryKind.VIEW,))
    here = await rig.auditing.views(AUDITOR, query)
    assert (len(here.entries), here.elsewhere) == (1, LogCount(count=0, is_exact=True))
    abroad = replace(AUDITOR, region="us")
    there = await rig.auditing.views(abroad, query)
    assert (there.entries, there.elsewhere) == ([], LogCount(count=1, is_exact=True))
    asked = await rig.auditing.views(abroad, replace(query, regions=("eu",)))
    assert (asked.entries, asked.elsewhere) == ([], LogCount(count=1, is_exact=True))
    with pytest.raises(AccessDeniedError):
        await rig.auditing.entry(abroad, here.entries[0].index)


async def test_an_auditor_of_a_vendor_or_team_sees_theirs(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    query = LogQuery(tenant=TENANT, kinds=(EntryKind.VIEW,))
    of_vendor = replace(AUDITOR, log_scope=LogScope.VENDOR)
    assert len((await rig.auditing.views(of_vendor, query)).entries) == 1
    other = replace(of_vendor, vendor="other")
    assert (await rig.auditing.views(other, query)).entries == []
    of_team = replace(AUDITOR, log_scope=LogScope.TEAM, team="team-1")
    assert len((await rig.auditing.views(of_team, query)).entries) == 1
    with pytest.raises(AccessDeniedError):
        await rig.auditing.views(of_team, replace(query, team="team-2"))


async def test_one_entry_is_opened_and_looking_is_an_entry(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    entry = rig.entry(answer.receipt)
    assert await rig.auditing.entry(AUDITOR, entry.index) == entry
    assert await rig.auditing.entry(AUDITOR, bytes.fromhex(entry.entry_id)) == entry
    looks = [e for e in rig.log() if e.kind is EntryKind.AUDIT_QUERY]
    assert [(e.event.body["entry"], e.refs) for e in looks] == [(entry.entry_id, (ref,))] * 2
    with pytest.raises(AccessDeniedError):
        await rig.auditing.entry(AGENT, entry.index)
    for caller, where in (
        (AUDITOR, 100_000),
        (AUDITOR, b"nobody knows it"),
        (replace(AUDITOR, tenant="other"), entry.index),
    ):
        with pytest.raises(NotFoundError):
            await rig.auditing.entry(caller, where)


async def test_what_was_shown_cannot_be_edited_out_of_a_search(rig: Rig, store_url: str) -> None:
    (ref,) = await rig.customers(1)
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    index = rig.entry(answer.receipt).index
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("update detail_event set shown = '' where idx = :i"), {"i": index}
        )
    engine.dispose()
    with pytest.raises(ProofError) as caught:
        rig.log()
    assert caught.value.index == index


async def test_what_is_published_is_answered_where_the_store_is_ahead_of_it(
    rig: Rig, tmp_path: Path
) -> None:
    (ref,) = await rig.customers(1)
    await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
    published = tmp_path / "log" / "checkpoint"
    note = published.read_bytes()
    # As a broker that follows stands, and one whose quorum has not answered yet.
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    settle(rig.store)
    index = rig.entry(answer.receipt).index
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
    ahead = published.read_bytes()
    published.write_bytes(note)
    with rig.store.read() as view:
        assert view.checkpoint() == ahead != note
    assert await rig.auditing.checkpoint() == note
    assert parse_tlog_proof(await rig.auditing.proof(0)).note == note
    with pytest.raises(NotFoundError, match="not under a checkpoint yet"):
        await rig.auditing.proof(index)
    published.unlink()
    for asked in (rig.auditing.checkpoint(), rig.auditing.proof(0)):
        with pytest.raises(NotFoundError, match="no checkpoint is published yet"):
            await asked


async def test_a_proof_holds_what_witnesses_gave_for_the_published_checkpoint(
    rig: Rig, tmp_path: Path
) -> None:
    await rig.customers(1)
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
    published = tmp_path / "log" / "checkpoint"
    note = published.read_bytes()
    witness = NoteSigner("w", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    cosigned = note + witness.cosign(parse_note(note).text, 7).encode()
    published.write_bytes(cosigned)
    assert await rig.auditing.checkpoint() == cosigned
    assert parse_tlog_proof(await rig.auditing.proof(0)).note == cosigned
