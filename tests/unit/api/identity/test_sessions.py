from dataclasses import replace

import pytest

from api.identity.errors import SignInError
from api.identity.sessions import (
    IDLE,
    LIFE,
    TICKET_LIFE,
    Sessions,
    SignedIn,
    check_csrf,
    check_same_origin,
)
from guard.clock import MINUTE
from guard.entries import EntryKind
from guard.errors import AccessDeniedError
from tests.unit.api.fakes import TENANT, World, response


@pytest.fixture
def sessions(world: World) -> Sessions:
    return world.credentials.sessions


async def signed_in(sessions: Sessions, name: str = "ana") -> str:
    return await sessions.sign_in(await sessions.ticket(TENANT, name, None))


@pytest.mark.anyio
async def test_a_ticket_becomes_a_session_once(world: World, sessions: Sessions) -> None:
    ticket = await world.credentials.mint_ticket(TENANT, "ana")
    found = await sessions.find(await sessions.sign_in(ticket))
    assert found.principal.id == "ana"
    assert found.principal.client == "console"
    with pytest.raises(SignInError):
        await sessions.sign_in(ticket)
    kinds = [e.kind for e in world.memory.entries]
    assert kinds == [EntryKind.CREDENTIAL, EntryKind.SIGN_IN]
    assert ticket not in repr(world.memory)


@pytest.mark.anyio
async def test_a_session_is_as_fresh_as_the_second_factor_that_asked_for_it(
    world: World, sessions: Sessions
) -> None:
    shown = world.clock.now() - MINUTE
    ana = replace((await sessions.find(await signed_in(sessions))).principal, mfa_at=shown)
    cookie = await sessions.sign_in(await sessions.ticket(TENANT, "ana", ana))
    assert (await sessions.find(cookie)).principal.mfa_at == shown
    assert world.memory.entries[-1].event.body["what"] == "signed in with a second factor"
    for asking in (None, replace(ana, mfa_at=None), replace(ana, id="bo"), replace(ana, actor="x")):
        ticket = await sessions.ticket(TENANT, "ana", asking)
        found = await sessions.find(await sessions.sign_in(ticket))
        assert found.principal.mfa_at is None


@pytest.mark.anyio
async def test_an_old_ticket_is_refused(world: World, sessions: Sessions) -> None:
    ticket = await sessions.ticket(TENANT, "ana", None)
    world.clock.advance(TICKET_LIFE)
    with pytest.raises(SignInError):
        await sessions.sign_in(ticket)


@pytest.mark.anyio
async def test_a_ticket_is_no_cookie_and_a_cookie_is_no_ticket(sessions: Sessions) -> None:
    ticket = await sessions.ticket(TENANT, "ana", None)
    with pytest.raises(SignInError):
        await sessions.find(ticket)
    cookie = await sessions.sign_in(ticket)
    with pytest.raises(SignInError):
        await sessions.sign_in(cookie)


@pytest.mark.anyio
async def test_a_session_ends_when_idle_and_when_old(world: World, sessions: Sessions) -> None:
    cookie = await signed_in(sessions)
    world.clock.advance(IDLE)
    with pytest.raises(SignInError):
        await sessions.find(cookie)
    cookie = await signed_in(sessions)
    for _ in range(LIFE // (10 * MINUTE) - 1):
        world.clock.advance(10 * MINUTE)
        await sessions.find(cookie)
    world.clock.advance(10 * MINUTE)
    with pytest.raises(SignInError):
        await sessions.find(cookie)


@pytest.mark.anyio
async def test_signing_out_ends_the_session(sessions: Sessions) -> None:
    cookie = await signed_in(sessions)
    found = await sessions.find(cookie)
    await sessions.sign_out(cookie, found.principal)
    with pytest.raises(SignInError):
        await sessions.find(cookie)


@pytest.mark.anyio
async def test_a_suspended_person_does_not_sign_in(world: World, sessions: Sessions) -> None:
    ticket = await sessions.ticket(TENANT, "ana", None)
    cookie = await signed_in(sessions)
    world.memory.held.append(response("ana"))
    with pytest.raises(AccessDeniedError):
        await sessions.sign_in(ticket)
    with pytest.raises(AccessDeniedError):
        await sessions.ticket(TENANT, "ana", None)
    assert (await sessions.find(cookie)).is_suspended


@pytest.mark.anyio
async def test_whoever_has_left_is_signed_out(world: World, sessions: Sessions) -> None:
    cookie = await signed_in(sessions)
    world.memory.put_principal(replace(world.memory.people[TENANT, "ana"], is_active=False))
    with pytest.raises(AccessDeniedError):
        await sessions.find(cookie)


@pytest.mark.anyio
async def test_machines_do_not_sign_in(sessions: Sessions) -> None:
    for name in ("desk", "bot", "nobody"):
        with pytest.raises(AccessDeniedError):
            await sessions.ticket(TENANT, name, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://here:80"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(AccessDeniedError):
        check_same_origin(headers, "here:80")


def test_a_form_from_here_passes() -> None:
    check_same_origin({"sec-fetch-site": "same-origin", "origin": "null"}, "here")
    check_same_origin({"origin": "http://here:80"}, "here:80")


@pytest.mark.anyio
async def test_a_csrf_token_belongs_to_its_session(sessions: Sessions) -> None:
    mine = await sessions.find(await signed_in(sessions))
    other: SignedIn = await sessions.find(await signed_in(sessions))
    check_csrf(mine, mine.csrf)
    for wrong in ("", other.csrf, "é"):
        with pytest.raises(AccessDeniedError):
            check_csrf(mine, wrong)
