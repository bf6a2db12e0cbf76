"""What a customer reads of who looked at their record, on both engines."""

from dataclasses import replace

import pytest

from guard.clock import DAY
from guard.entries import EntryKind
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError, ProofError
from guard.history import open_history
from guard.ledger.note import NoteSigner
from guard.rows import LogQuery
from policies.model import ActorKind, Role
from tests.contracts.guard.history.telling import NOTICE, PORTAL, Telling
from tests.support.makers import TENANT
from tests.support.people import AGENT, AUDITOR
from tests.support.rig import make_caller

pytestmark = pytest.mark.anyio


async def test_a_customer_reads_what_was_done_by_role_and_never_who(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    entry = await told.viewed(ref)
    await told.rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, ref=ref))
    page = await told.customers.page(PORTAL, ref, before=None, limit=10)
    document = open_history(page.note, told.signer.verifier)
    assert document == page.document
    rows = [(r.act, r.role, r.purpose, r.channel, r.clear) for r in document.rows]
    assert rows == [
        ("gave you this history", "an automated service", "", "", False),
        ("checked who had looked at your record", "an auditor", "", "", False),
        ("opened your record", "a support agent", "a support case", "phone", True),
    ]
    assert document.rows[-1].entry == entry
    assert (document.customer, document.complete, document.notice) == (ref, True, "")
    for secret in (AGENT.id, AGENT.team, AUDITOR.id, "owner", "lead-1"):
        assert f'"{secret}"'.encode() not in page.note
    assert page.next is None


async def test_reading_a_history_is_an_entry_about_the_customer_before_it(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    await told.customers.page(PORTAL, ref, before=None, limit=10)
    (read,) = [e for e in told.rig.log() if e.kind is EntryKind.HISTORY]
    assert (read.event.agent, read.refs) == ("portal", (ref,))
    assert read.event.body == {"of": "customer", "limit": 10}


async def test_pages_follow_one_another_without_gap_or_repeat(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    entries = [await told.viewed(ref) for _ in range(7)]
    before, seen, pages = None, list[str](), 0
    while True:
        page = await told.customers.page(PORTAL, ref, before=before, limit=3)
        seen += [r.entry for r in page.document.rows if r.act == "opened your record"]
        pages += 1
        assert page.document.complete is (page.next is None)
        if page.next is None:
            break
        before = page.next
    assert seen == entries[::-1]
    assert pages > 2


async def test_a_long_history_is_read_in_as_many_statements_as_it_needs(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    case = await told.rig.case(ref)
    for _ in range(30):
        await told.rig.broker.view(AGENT, told.rig.asks(ref, case))
    await told.held(until=told.rig.clock.now() + DAY)
    page = await told.customers.page(PORTAL, ref, before=None, limit=1)
    assert [r.act for r in page.document.rows] == ["gave you this history"]
    assert page.next is None


async def test_merged_records_are_one_history(told: Telling) -> None:
    one, other, third, stranger = await told.rig.customers(4)
    await told.merged(one, other)
    await told.merged(other, third)
    entries = [await told.viewed(ref) for ref in (one, other, third)]
    await told.viewed(stranger)
    page = await told.customers.page(PORTAL, one, before=None, limit=10)
    views = [r.entry for r in page.document.rows if r.act == "opened your record"]
    assert views == entries[::-1]
    (read,) = [e for e in told.rig.log() if e.kind is EntryKind.HISTORY]
    assert sorted(read.refs) == sorted((one, other, third))


async def test_what_is_held_back_is_left_out_unseen_and_appears_when_it_ends(
    told: Telling,
) -> None:
    (ref,) = await told.rig.customers(1)
    entry = await told.viewed(ref)
    await told.held()
    page = await told.customers.page(PORTAL, ref, before=None, limit=10)
    assert [r.act for r in page.document.rows] == ["gave you this history"]
    assert page.document.notice == ""
    said = await told.open.page(PORTAL, ref, before=None, limit=10)
    assert said.document.notice == NOTICE
    told.rig.clock.advance(DAY)
    page = await told.customers.page(PORTAL, ref, before=None, limit=10)
    assert entry in {r.entry for r in page.document.rows}
    assert page.document.statement == said.document.statement


async def test_a_hold_back_of_a_customer_follows_a_merge_and_leaves_others_alone(
    told: Telling,
) -> None:
    one, other, stranger = await told.rig.customers(3)
    await told.merged(one, other)
    entry = await told.viewed(other)
    seen = await told.viewed(stranger)
    await told.held(agent=None, customer=one)
    page = await told.customers.page(PORTAL, other, before=None, limit=10)
    assert entry not in {r.entry for r in page.document.rows}
    page = await told.customers.page(PORTAL, stranger, before=None, limit=10)
    assert seen in {r.entry for r in page.document.rows}


async def test_refusals_are_left_out(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    await told.rig.broker.view(AGENT, told.rig.asks(ref, purpose="nonsense"))
    page = await told.customers.page(PORTAL, ref, before=None, limit=10)
    assert [r.act for r in page.document.rows] == ["gave you this history"]


async def test_only_a_portal_with_the_scope_may_ask(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    person = make_caller("x", role=Role.ADMIN, scopes=PORTAL.scopes)
    bot = replace(PORTAL, actor="bot", kind=ActorKind.AI)
    for caller in (person, bot, replace(PORTAL, scopes=frozenset())):
        with pytest.raises(AccessDeniedError):
            await told.customers.page(caller, ref, before=None, limit=10)
    for limit in (0, 101):
        with pytest.raises(InvalidRequestError):
            await told.customers.page(PORTAL, ref, before=None, limit=limit)
    with pytest.raises(NotFoundError):
        await told.customers.page(replace(PORTAL, tenant="other"), ref, before=None, limit=10)
    with pytest.raises(NotFoundError):
        await told.customers.page(PORTAL, "nobody", before=None, limit=10)


async def test_a_changed_document_does_not_hold(told: Telling) -> None:
    (ref,) = await told.rig.customers(1)
    await told.viewed(ref)
    page = await told.customers.page(PORTAL, ref, before=None, limit=10)
    with pytest.raises(ProofError):
        open_history(
            page.note.replace(b"a support agent", b"a tax inspector"), told.signer.verifier
        )
    stranger = NoteSigner("t/exports", told.rig.keyring.signing_key("t/else"))
    with pytest.raises(ProofError):
        open_history(page.note, stranger.verifier)
