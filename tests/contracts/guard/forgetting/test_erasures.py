"""Two people forget a customer, and everything else goes on, on both engines."""

import pytest

from guard.clock import DAY, Micros
from guard.enrolment import CustomerPut
from guard.entries import EntryKind, OpenedEntry
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.exports import ExportFormat
from guard.exports.order import ExportOrder
from guard.forgetting import ErasureGround, HoldGround, HoldPut
from guard.forgetting.erasures import LAPSES_AFTER
from guard.purposes.relations import RelationPut
from guard.rows import ErasureState, HoldScope, LogQuery
from guard.vault.keyring import key_id
from guard.views import RefusalCode, Refused, Served
from policies.model import ActorKind, Role, Tie
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND, put_people
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio
GROUND = ErasureGround.OBJECTION


def entries(rig: Rig, kind: EntryKind) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is kind]


async def seen(rig: Rig, ref: str) -> None:
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)


async def test_an_erased_customer_is_nobody_and_its_parts_are_gone(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    for one in (ref, other):
        await seen(rig, one)
    before = rig.log()
    done = await oblivion.forget(ref)
    assert done.row.state is ErasureState.RECORDED
    row = await oblivion.erasures.get(AUDITOR, done.row.id)
    assert (row.state, row.approved_by, row.entry_id) == (
        ErasureState.DONE,
        SECOND.id,
        done.receipt.entry_id,
    )
    answer = await rig.broker.view(AGENT, rig.asks(ref))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
    await seen(rig, other)
    after = rig.log()[: len(before)]
    assert [entry.event for entry in after] == [entry.event for entry in before]
    for was, now in zip(before, after, strict=True):
        expected = tuple(
            None if part is not None and part.customer == ref else part for part in was.subjects
        )
        assert (now.refs, now.subjects) == (was.refs, expected)


async def test_the_entry_names_nobody_and_says_why_and_by_whom(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    (ref,) = await rig.customers(1)
    done = await oblivion.forget(ref)
    (asked,) = entries(rig, EntryKind.ERASURE_REQUEST)
    (entry,) = entries(rig, EntryKind.ERASURE)
    assert entry.entry_id == done.receipt.entry_id
    assert (asked.event.body["state"], asked.event.agent) == ("proposed", ANALYST.id)
    assert entry.event.body == {
        "erasure": done.row.id,
        "state": "recorded",
        "ground": "consent_withdrawn",
        "proposed_by": ANALYST.id,
        "approved_by": SECOND.id,
        "keys": [key_id(TENANT, ref)],
    }
    assert asked.subjects == entry.subjects == (None,)


async def test_it_takes_two_people_of_the_right_roles_and_a_reason(oblivion: Oblivion) -> None:
    rig, erasures = oblivion.rig, oblivion.erasures
    await put_people(rig)
    (ref,) = await rig.customers(1)
    with pytest.raises(AccessDeniedError):
        await erasures.propose(AGENT, ref, GROUND, "because")
    with pytest.raises(InvalidRequestError):
        await erasures.propose(ANALYST, ref, GROUND, "  ")
    with pytest.raises(NotFoundError):
        await erasures.propose(ANALYST, "c-nobody", GROUND, "because")
    done = await erasures.propose(ANALYST, ref, GROUND, "because")
    with pytest.raises(ConflictError):
        await erasures.propose(SECOND, ref, GROUND, "because")
    for who in (ANALYST, AGENT, AUDITOR):
        with pytest.raises(AccessDeniedError):
            await erasures.approve(who, done.row.id)
    with pytest.raises(NotFoundError):
        await erasures.approve(SECOND, "er-none")
    with pytest.raises(NotFoundError):
        await erasures.get(AUDITOR, "er-none")
    with pytest.raises(AccessDeniedError):
        await erasures.list(AGENT)
    await seen(rig, ref)
    await erasures.approve(SECOND, done.row.id)
    with pytest.raises(ConflictError):
        await erasures.approve(SECOND, done.row.id)
    assert [row.id for row in await erasures.list(AUDITOR)] == [done.row.id]


async def test_a_proposal_lapses_and_can_be_made_again(oblivion: Oblivion) -> None:
    rig, erasures = oblivion.rig, oblivion.erasures
    await put_people(rig)
    (ref,) = await rig.customers(1)
    done = await erasures.propose(ANALYST, ref, GROUND, "because")
    rig.clock.advance(LAPSES_AFTER)
    with pytest.raises(ConflictError):
        await erasures.approve(SECOND, done.row.id)
    again = await erasures.propose(ANALYST, ref, GROUND, "because")
    await erasures.approve(SECOND, again.row.id)


async def test_of_two_proposals_the_later_finds_nobody(oblivion: Oblivion) -> None:
    rig, erasures = oblivion.rig, oblivion.erasures
    await put_people(rig)
    (ref,) = await rig.customers(1)
    await rig.committer.run(lambda tx: tx.rows.lock_subjects({ref}))
    first = await erasures.propose(ANALYST, ref, GROUND, "because")
    rig.clock.advance(LAPSES_AFTER - DAY)
    with pytest.raises(ConflictError):
        await erasures.propose(ANALYST, ref, GROUND, "because")
    await erasures.approve(SECOND, first.row.id)
    with pytest.raises(NotFoundError):
        await erasures.propose(ANALYST, ref, GROUND, "because")


async def test_what_leads_to_the_customer_is_gone_with_it(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    sync = make_caller("crm-sync", role=Role.SERVICE, kind=ActorKind.SERVICE)
    await put_people(rig)
    ref, other = await rig.customers(2, identifiers=(("email", "m@example.com"),))
    case = await rig.case(ref)
    await rig.relations.put(sync, RelationPut(kind="household", customers=(ref, other)))
    await rig.ties.put(sync, AGENT.id, ref, Tie.FAMILY)
    await rig.presence.issue(sync, ref)
    await oblivion.forget(ref)
    with rig.store.read() as view:
        assert view.identifiers_of(TENANT, ref) == []
        assert len(view.identifiers_of(TENANT, other)) == 1
        assert view.case(TENANT, case) is None
        assert view.assignments(TENANT, case) == []
        assert view.related(TENANT, ref) == view.related(TENANT, other) == []
        assert view.tie(TENANT, AGENT.id, ref) is None
        assert view.live_code(TENANT, ref, rig.clock.now()) is None
        assert view.subject(TENANT, ref) is None
        assert view.known_refs(TENANT, {ref, other}) == {other}
        row = view.subjects({ref})[ref]
    assert (row.sealed_key, row.wrapped_key) == (None, None)


async def test_the_same_source_key_makes_somebody_new(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    (ref,) = await rig.customers(1)
    await seen(rig, ref)
    await oblivion.forget(ref)
    (again,) = await rig.customers(1)
    assert again != ref
    await seen(rig, again)
    put = CustomerPut(source="crm", source_key="1", region="eu")
    found = await rig.enrolment.enrol(make_caller("crm-sync", role=Role.SERVICE), [put])
    assert list(found.values()) == [again]


@pytest.mark.parametrize("scope", list(HoldScope))
async def test_a_hold_wins_and_the_erasure_goes_on_by_itself_once_it_is_lifted(
    oblivion: Oblivion, scope: HoldScope
) -> None:
    rig = oblivion.rig
    await put_people(rig)
    ref, free = await rig.customers(2)
    case = await rig.case(ref)
    start: Micros = rig.clock.now()
    rig.clock.advance(1_000_000)
    answer = await rig.broker.view(AGENT, rig.asks(ref, case))
    assert isinstance(answer, Served)
    value = {
        HoldScope.CUSTOMER: ref,
        HoldScope.AGENT: AGENT.id,
        HoldScope.CASE: case,
        HoldScope.TIME: "",
    }[scope]
    # Only what happened since then is held by a time or an agent.
    put = HoldPut(
        scope=scope, value=value, ground=HoldGround.LEGAL_CLAIMS, matter="L-7", since=start + 1
    )
    hold = await oblivion.holds.set(ANALYST, put)
    done = await oblivion.approved(ref)
    assert done.row.state is ErasureState.HELD
    assert [(one.id, one.ground) for one in done.held_by] == [(hold.id, "legal_claims")]
    held = entries(rig, EntryKind.ERASURE_REQUEST)[-1]
    assert (held.event.body["holds"], held.event.body["because"]) == ([hold.id], ["legal_claims"])
    assert await oblivion.shredding.turn() == 0
    with pytest.raises(ConflictError):
        await oblivion.erasures.propose(ANALYST, ref, GROUND, "because")
    if scope in {HoldScope.CUSTOMER, HoldScope.CASE}:
        assert (await oblivion.forget(free)).row.state is ErasureState.RECORDED
    await oblivion.holds.lift(ANALYST, hold.id)
    assert await oblivion.shredding.turn() == 0
    await oblivion.holds.lift(SECOND, hold.id)
    await oblivion.shredding.turn()
    row = await oblivion.erasures.get(AUDITOR, done.row.id)
    assert row.state is ErasureState.DONE
    last = entries(rig, EntryKind.ERASURE)[-1]
    assert (last.event.agent, last.event.body["approved_by"]) == ("system", SECOND.id)


async def test_an_export_over_an_erased_customer_still_works(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    (ref,) = await rig.customers(1)
    await seen(rig, ref)
    await oblivion.forget(ref)
    query = LogQuery(tenant=TENANT, ref=ref)
    order = ExportOrder(format=ExportFormat.NDJSON, query=query)
    download = await rig.exports.export(AUDITOR, order)
    text = b"".join([piece async for piece in download.pieces])
    assert b'"view"' in text
    assert b"asked for it in writing" not in text
    found = await rig.auditing.views(AUDITOR, query)
    assert all(entry.subjects == (None,) for entry in found.entries)
