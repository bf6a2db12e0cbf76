"""Cookies and forms, over requests that no browser sent."""

from typing import Annotated

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.console.session import (
    SignedForm,
    cookie_name,
    drop_cookie,
    same_origin,
    set_cookie,
    verify,
    visitor,
)
from api.identity.scopes import Scope
from api.identity.sessions import IDLE, LIFE, TOUCH, SignedIn
from guard.clock import MINUTE, SECOND
from guard.errors import AccessDeniedError
from guard.rows import ResponseKind
from tests.support.rig import make_caller
from tests.unit.api.fakes import TENANT, World, response

OWN = {"sec-fetch-site": "same-origin"}


def a_request(scheme: str = "http", **headers: str) -> Request:
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "scheme": scheme, "path": "/", "headers": raw, "server": ("h", 80)}
    return Request(scope)


def cookie_after(scheme: str) -> str:
    answer = Response()
    set_cookie(a_request(scheme), answer, "value")
    return answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("scheme", "name"), [("http", "recordguard"), ("https", "__Host-recordguard")]
)
def test_the_name_binds_the_cookie_to_its_host_where_it_can(scheme: str, name: str) -> None:
    assert cookie_name(a_request(scheme)) == name
    assert cookie_after(scheme).startswith(f"{name}=value;")


@pytest.mark.parametrize(("scheme", "is_secure"), [("http", False), ("https", True)])
def test_a_cookie_travels_in_the_clear_on_loopback_only(scheme: str, is_secure: bool) -> None:  # noqa: FBT001 - a case of the table
    assert ("secure" in cookie_after(scheme).lower()) is is_secure


def test_neither_scripts_nor_other_sites_get_the_cookie() -> None:
    cookie = cookie_after("https").lower()
    for part in ("httponly", "samesite=strict", "path=/", f"max-age={LIFE // SECOND}"):
        assert part in cookie
    assert "domain" not in cookie


def test_the_browser_forgets_a_dropped_cookie() -> None:
    answer = Response()
    drop_cookie(a_request("https"), answer)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith('__Host-recordguard="";')
    assert "Max-Age=0" in cookie
    assert "Secure" in cookie


@pytest.mark.parametrize(
    "headers",
    [{"sec_fetch_site": "same-origin"}, {"origin": "http://desk.example", "host": "desk.example"}],
)
def test_a_form_of_our_own_is_taken(headers: dict[str, str]) -> None:
    same_origin(a_request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "desk.example"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "http://evil.example", "host": "desk.example"},
        {"origin": "null", "host": "desk.example"},
        {"sec_fetch_site": "cross-site", "origin": "http://desk.example", "host": "desk.example"},
    ],
)
def test_a_form_from_elsewhere_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(AccessDeniedError, match="another site"):
        same_origin(a_request(**headers))


def test_a_form_needs_the_token_of_its_own_session() -> None:
    signed_in = SignedIn(make_caller(), "right", is_suspended=False)
    own = a_request(sec_fetch_site="same-origin")
    verify(own, signed_in, SignedForm(csrf="right"))
    with pytest.raises(AccessDeniedError, match="too old"):
        verify(own, signed_in, SignedForm(csrf="wrong"))


def test_the_right_token_from_another_site_is_refused() -> None:
    signed_in = SignedIn(make_caller(), "right", is_suspended=False)
    with pytest.raises(AccessDeniedError, match="another site"):
        verify(a_request(sec_fetch_site="cross-site"), signed_in, SignedForm(csrf="right"))


@pytest.fixture
def app(world: World) -> FastAPI:
    app = create_app(world, wall=world.clock.now)

    @app.get("/console/probe/alerts")
    async def alerts(signed_in: Annotated[SignedIn, visitor(Scope.ALERTS_READ)]) -> str:
        return signed_in.principal.id

    @app.get("/console/probe/both")
    async def both(
        signed_in: Annotated[SignedIn, visitor(Scope.ALERTS_READ, Scope.EXPORTS_WRITE)],
    ) -> str:
        return signed_in.principal.id

    @app.get("/console/probe/own")
    async def own(signed_in: Annotated[SignedIn, visitor(Scope.NOTICES_READ)]) -> bool:
        return signed_in.is_suspended

    return app


async def signed_in(world: World, app: FastAPI, name: str) -> TestClient:
    ticket = await world.credentials.mint_ticket(TENANT, name)
    cookie = await world.credentials.sessions.sign_in(ticket)
    client = TestClient(app, raise_server_exceptions=False)
    client.cookies.set("recordguard", cookie)
    return client


@pytest.mark.anyio
async def test_the_cookie_says_who_is_there(world: World, app: FastAPI) -> None:
    client = await signed_in(world, app, "ana")
    assert client.get("/console/probe/alerts").json() == "ana"


@pytest.mark.parametrize("cookie", [None, "", "forged"])
def test_without_a_session_one_is_asked_to_sign_in(app: FastAPI, cookie: str | None) -> None:
    client = TestClient(app, raise_server_exceptions=False)
    if cookie is not None:
        client.cookies.set("recordguard", cookie)
    answer = client.get("/console/probe/own")
    assert answer.status_code == 401
    assert 'id="sign-in"' in answer.text


@pytest.mark.anyio
async def test_a_role_opens_its_pages_only(world: World, app: FastAPI) -> None:
    assert (await signed_in(world, app, "u17")).get("/console/probe/alerts").status_code == 403


@pytest.mark.anyio
async def test_a_page_may_need_two_scopes(world: World, app: FastAPI) -> None:
    # The analyst reads alerts and exports nothing; the auditor may do both.
    assert (await signed_in(world, app, "ana")).get("/console/probe/both").status_code == 403
    assert (await signed_in(world, app, "aud")).get("/console/probe/both").status_code == 200


@pytest.mark.anyio
async def test_whoever_is_suspended_meanwhile_keeps_their_own_page(
    world: World, app: FastAPI
) -> None:
    client = await signed_in(world, app, "ana")
    world.memory.held.append(response("ana"))
    answer = client.get("/console/probe/alerts")
    assert answer.status_code == 403
    assert "suspended" in answer.text
    assert client.get("/console/probe/own").json() is True


@pytest.mark.anyio
async def test_a_gentler_response_closes_no_page(world: World, app: FastAPI) -> None:
    client = await signed_in(world, app, "ana")
    world.memory.held.append(response("ana", ResponseKind.MASK_MORE))
    assert client.get("/console/probe/alerts").status_code == 200


@pytest.mark.anyio
async def test_an_idle_session_ends(world: World, app: FastAPI) -> None:
    client = await signed_in(world, app, "ana")
    world.clock.advance(IDLE - 1)
    assert client.get("/console/probe/own").status_code == 200
    world.clock.advance(IDLE)
    assert client.get("/console/probe/own").status_code == 401


@pytest.mark.anyio
async def test_a_busy_session_ends_too(world: World, app: FastAPI) -> None:
    client = await signed_in(world, app, "ana")
    step = IDLE - MINUTE
    assert step > TOUCH
    for _ in range(LIFE // step):
        world.clock.advance(step)
        assert client.get("/console/probe/own").status_code == 200
    world.clock.advance(step)
    assert client.get("/console/probe/own").status_code == 401
