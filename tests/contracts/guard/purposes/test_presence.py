"""One-time codes of customers who are present, on both engines."""

import asyncio
from dataclasses import replace

import pytest

from guard import quotas
from guard.clock import HOUR, MINUTE
from guard.entries import EntryKind, OpenedEntry
from guard.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from guard.purposes.presence import CODE_LIFE, OPEN_FOR, TRIES, WRONG_AN_HOUR
from guard.rows import GrantKind, GrantRow
from policies.model import ActorKind, Measure, Role, Window
from tests.support.makers import TENANT
from tests.support.people import AGENT
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio

APP = make_caller("app", role=Role.SERVICE, kind=ActorKind.SERVICE)
WRONG = "this code does not hold"


def grants(rig: Rig) -> list[OpenedEntry]:
    return [entry for entry in rig.log() if entry.kind is EntryKind.GRANT]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_the_code_that_the_customer_says_opens_for_ten_minutes(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    assert (len(fresh.code), fresh.expires_in_s) == (6, 300)
    row = await rig.presence.claim(AGENT, ref, fresh.code, "k-1")
    assert (row.kind, row.agent_id, row.ref) == (GrantKind.CUSTOMER_PRESENT, "a1", ref)
    assert row.ends_at - row.starts_at == OPEN_FOR
    issued, opened = grants(rig)
    assert (issued.event.agent, issued.event.body["state"]) == ("app", "issued")
    assert (opened.event.agent, opened.event.body["state"]) == ("a1", "opened")
    assert opened.event.body["grant"] == row.id
    part = opened.subjects[0]
    assert part is not None
    assert (part.customer, part.case) == (ref, "k-1")


async def test_the_code_is_in_no_entry_no_row_and_no_repr(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    with rig.store.read() as view:
        row = view.live_code(TENANT, ref, rig.clock.now())
    assert row is not None
    assert fresh.code not in repr(row)
    assert fresh.code.encode() not in row.digest
    assert fresh.code not in repr(fresh)
    with pytest.raises(AccessDeniedError) as caught:
        await rig.presence.claim(AGENT, ref, other_than(fresh.code))
    await rig.presence.claim(AGENT, ref, fresh.code)
    said = [entry.event for entry in rig.log()], [entry.subjects for entry in rig.log()]
    assert fresh.code not in str(caught.value)
    assert all(fresh.code not in repr(part) for part in said[1])
    assert all(fresh.code not in repr(event) for event in said[0])


async def test_a_code_works_once_even_for_two_at_once(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    asked = (rig.presence.claim(make_caller(who), ref, fresh.code) for who in ("a1", "a2", "a1"))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, GrantRow) for answer in answers) == 1
    assert sum(isinstance(answer, AccessDeniedError) for answer in answers) == 2


async def test_every_wrong_answer_is_the_same(rig: Rig) -> None:
    with_code, without, expired, used = await rig.customers(4)
    code = (await rig.presence.issue(APP, with_code)).code
    spent = (await rig.presence.issue(APP, used)).code
    old = (await rig.presence.issue(APP, expired)).code
    await rig.presence.claim(AGENT, used, spent)
    asked = [
        (with_code, other_than(code)),
        (without, code),
        (used, spent),
        ("nobody", code),
    ]
    said = set()
    for ref, typed in asked:
        with pytest.raises(AccessDeniedError) as caught:
            await rig.presence.claim(AGENT, ref, typed)
        said.add(str(caught.value))
    rig.clock.advance(CODE_LIFE)
    with pytest.raises(AccessDeniedError) as caught:
        await rig.presence.claim(AGENT, expired, old)
    said.add(str(caught.value))
    assert len(said) == 1
    assert said.pop().startswith(WRONG)
    refused = [e for e in grants(rig) if e.event.body["state"] == "refused"]
    assert [e.refs for e in refused] == [(with_code,), (without,), (used,), (), (expired,)]


async def test_a_code_dies_of_five_wrong_tries(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    for n in range(TRIES):
        with pytest.raises(AccessDeniedError):
            await rig.presence.claim(make_caller(f"a{n}"), ref, other_than(fresh.code))
    with pytest.raises(AccessDeniedError, match=WRONG):
        await rig.presence.claim(AGENT, ref, fresh.code)


async def test_many_guesses_at_once_are_all_counted(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    wrong = [f"{(int(fresh.code) + n) % 10**6:06}" for n in range(1, 8)]
    asked = (rig.presence.claim(make_caller(f"a{c}"), ref, c) for c in wrong)
    await asyncio.gather(*asked, return_exceptions=True)
    with rig.store.read() as view:
        row = view.live_code(TENANT, ref, rig.clock.now())
    assert row is not None
    assert row.tries == len(wrong)


async def test_a_new_code_voids_the_one_before(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    first = await rig.presence.issue(APP, ref)
    second = await rig.presence.issue(APP, ref)
    if first.code != second.code:
        with pytest.raises(AccessDeniedError):
            await rig.presence.claim(AGENT, ref, first.code)
    await rig.presence.claim(AGENT, ref, second.code)


async def test_a_code_is_its_own_customers(rig: Rig) -> None:
    one, other = await rig.customers(2)
    fresh = await rig.presence.issue(APP, one)
    elsewhere = await rig.presence.issue(APP, other)
    if fresh.code != elsewhere.code:
        with pytest.raises(AccessDeniedError):
            await rig.presence.claim(AGENT, other, fresh.code)


async def test_an_agent_who_guesses_is_stopped_and_the_charges_rebuild(rig: Rig) -> None:
    refs = await rig.customers(WRONG_AN_HOUR + 1)
    for ref in refs[:WRONG_AN_HOUR]:
        with pytest.raises(AccessDeniedError, match=WRONG):
            await rig.presence.claim(AGENT, ref, "000000")
    fresh = await rig.presence.issue(APP, refs[-1])
    with pytest.raises(AccessDeniedError, match="too many wrong codes"):
        await rig.presence.claim(AGENT, refs[-1], fresh.code)
    assert grants(rig)[-1].event.body["why"] == "limit"
    await rig.presence.claim(make_caller("a2"), refs[-1], fresh.code)
    key = f"{AGENT.agent_key}#presence"
    charged = [c for entry in rig.log() if (c := quotas.charged_in(entry)) is not None]
    rebuilt = quotas.rebuild(charged, rig.clock.now()).counters
    with rig.store.read() as view:
        kept = {(c.key, c.measure, c.window): c.used for c in view.counters({key})}
    assert kept == {place: counter.used for place, counter in rebuilt.items() if place[0] == key}
    assert kept[key, Measure.VERIFICATIONS.value, Window.HOUR] == WRONG_AN_HOUR
    rig.clock.advance(HOUR)
    fresh = await rig.presence.issue(APP, refs[-1])
    await rig.presence.claim(AGENT, refs[-1], fresh.code)


async def test_only_a_service_with_the_scope_gets_codes(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    for nobody in (
        AGENT,
        make_caller("admin", role=Role.ADMIN),
        make_caller("bot", kind=ActorKind.AI),
        make_caller("sync", role=Role.SERVICE),
        replace(APP, scopes=frozenset()),
    ):
        with pytest.raises(AccessDeniedError):
            await rig.presence.issue(nobody, ref)
    with pytest.raises(NotFoundError):
        await rig.presence.issue(APP, "nobody")
    assert grants(rig) == []


async def test_only_people_at_a_desk_take_codes(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    for nobody in (
        APP,
        make_caller("ana", role=Role.ANALYST),
        make_caller("a1", kind=ActorKind.AI, actor="bot-1"),
    ):
        with pytest.raises(AccessDeniedError, match="takes a customer's code"):
            await rig.presence.claim(nobody, ref, fresh.code)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345x", "\uff11\uff12\uff13\uff14\uff15\uff16"]
)
async def test_what_is_no_code_is_not_tried(rig: Rig, code: str) -> None:
    with pytest.raises(InvalidRequestError):
        await rig.presence.claim(AGENT, "c1", code)
    assert grants(rig) == []


async def test_codes_of_one_customer_differ_in_two_tenants(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    fresh = await rig.presence.issue(APP, ref)
    with pytest.raises(AccessDeniedError):
        await rig.presence.claim(make_caller("a1", tenant="other"), ref, fresh.code)
    rig.clock.advance(MINUTE)
    await rig.presence.claim(AGENT, ref, fresh.code)
