from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from api.console.entrance import ASSETS
from api.rendering import HERE
from guard.entries import EntryKind
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import TENANT, World, response

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio


async def sign_in(world: World, client: TestClient, name: str = "ana") -> tuple[int, str]:
    ticket = await world.credentials.mint_ticket(TENANT, name)
    answer = client.post(
        "/console/sign-in", data={"ticket": ticket}, headers=SAME_ORIGIN, follow_redirects=False
    )
    return answer.status_code, answer.headers.get("location", "")


@pytest.mark.parametrize(
    ("name", "place"), [("ana", "alerts"), ("aud", "alerts"), ("adm", "alerts"), ("u17", "desk")]
)
async def test_everybody_goes_where_their_work_is(browser: Browser, name: str, place: str) -> None:
    answer = browser(name).get("/console", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/{place}")


async def test_a_suspended_reviewer_goes_to_their_own_page(world: World, browser: Browser) -> None:
    client = browser("ana")
    world.memory.held.append(response("ana"))
    answer = client.get("/console", follow_redirects=False)
    assert answer.headers["location"] == "/console/me"


async def test_the_sign_in_page_needs_no_session(client: TestClient) -> None:
    answer = client.get("/console/sign-in")
    assert answer.status_code == 200
    assert 'id="sign-in"' in answer.text
    assert 'role="alert"' not in answer.text


async def test_a_ticket_leads_into_the_console(world: World, client: TestClient) -> None:
    assert await sign_in(world, client) == (303, "/console")
    assert client.get("/console/alerts").status_code == 200


async def test_signing_in_is_counted(world: World, client: TestClient) -> None:
    await sign_in(world, client)
    assert b'recordguard_sign_ins_total{outcome="accepted"} 1.0' in world.metrics.expose()


async def test_a_ticket_from_another_site_is_not_used_up(world: World, client: TestClient) -> None:
    ticket = await world.credentials.mint_ticket(TENANT, "ana")
    form = {"ticket": ticket}
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert client.post("/console/sign-in", data=form, headers=elsewhere).status_code == 403
    answer = client.post("/console/sign-in", data=form, headers=SAME_ORIGIN, follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.parametrize("ticket", ["x" * 129, "no spaces", "a/b", "é"])
async def test_what_is_no_ticket_is_not_even_looked_up(client: TestClient, ticket: str) -> None:
    answer = client.post("/console/sign-in", data={"ticket": ticket}, headers=SAME_ORIGIN)
    assert answer.status_code == 422


async def test_an_unknown_ticket_is_answered_with_the_form(client: TestClient) -> None:
    answer = client.post("/console/sign-in", data={"ticket": "x" * 43}, headers=SAME_ORIGIN)
    assert answer.status_code == 401
    assert 'id="sign-in"' in answer.text


async def test_signing_out_forgets_the_cookie_and_is_an_entry(
    world: World, browser: Browser
) -> None:
    client = browser("u17")
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(
        "/console/sign-out", data={"csrf": csrf}, headers=SAME_ORIGIN, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    last = world.memory.entries[-1]
    assert (last.kind, last.event.body["what"]) == (EntryKind.SIGN_IN, "signed out")


async def test_another_site_cannot_sign_anybody_out(browser: Browser) -> None:
    client = browser("u17")
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(
        "/console/sign-out", data={"csrf": csrf}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert client.get("/console/me").status_code == 200


@pytest.mark.parametrize("name", ASSETS)
async def test_a_static_file_is_served_as_it_lies(client: TestClient, name: str) -> None:
    answer = client.get(f"/console/static/{name}")
    assert answer.content == (HERE / "static" / name).read_bytes()
    assert answer.headers["content-type"] == ASSETS[name]
    assert answer.headers["cache-control"] == "no-cache"


async def test_there_are_no_other_static_files(client: TestClient) -> None:
    for path in ("/console/static/", "/console/static/%2e%2e/pages.py", "/console/static/x.js"):
        assert client.get(path).status_code == 404
