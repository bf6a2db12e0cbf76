import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from guard.entries import EntryKind
from guard.rows import AlertState, ResponseKind
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import World, alert, response

Browser = Callable[[str], TestClient]
PAGES = {
    "ana": ["/console/alerts", "/console/alerts?show=all", "/console/alerts/alr-1",
            "/console/alerts/alr-1/agents/Heron-31", "/console/audit", "/console/forgetting",
            "/console/me"],
    "aud": ["/console/alerts", "/console/alerts/alr-1", "/console/audit", "/console/me"],
    "u17": ["/console/me"],
}  # fmt: skip


def check_headers(headers: object) -> None:
    get = headers.get  # type: ignore[attr-defined] # the client's own headers class
    csp = get("content-security-policy")
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'",
                 "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):  # fmt: skip
        assert rule in csp
    assert "unsafe" not in csp
    assert get("cache-control") == "no-store"
    assert get("x-content-type-options") == "nosniff"
    assert get("referrer-policy") == "no-referrer"
    assert get("cross-origin-opener-policy") == "same-origin"
    assert get("cross-origin-resource-policy") == "same-origin"


@pytest.mark.anyio
@pytest.mark.parametrize("name", PAGES)
async def test_every_page_renders_with_its_headers_and_nothing_inline(
    browser: Browser, name: str
) -> None:
    client = browser(name)
    for path in PAGES[name]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        check_headers(answer.headers)
        assert not re.search(r"\son\w+=|style=|<style|javascript:", answer.text)
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
        assert scripts == [(' src="/console/static/console.js" defer', "")]
        assert '<html lang="en">' in answer.text
        assert answer.text.count("<h1") == 1


@pytest.mark.anyio
async def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(
    world: World, client: TestClient
) -> None:
    ticket = await world.credentials.mint_ticket("acme", "ana")
    answer = client.post(
        "/console/sign-in", data={"ticket": ticket}, headers=SAME_ORIGIN, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("recordguard=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=28800"):
        assert part in cookie
    assert ticket not in cookie
    secure = TestClient(client.app, base_url="https://testserver")
    ticket = await world.credentials.mint_ticket("acme", "ana")
    answer = secure.post(
        "/console/sign-in", data={"ticket": ticket}, headers=SAME_ORIGIN, follow_redirects=False
    )
    assert answer.headers["set-cookie"].startswith("__Host-recordguard=")
    assert "Secure" in answer.headers["set-cookie"]
    assert secure.get("/console/alerts").status_code == 200


@pytest.mark.anyio
async def test_without_a_session_every_page_asks_to_sign_in(client: TestClient) -> None:
    for path in {path for paths in PAGES.values() for path in paths}:
        answer = client.get(path)
        assert answer.status_code == 401
        assert 'id="sign-in"' in answer.text
        check_headers(answer.headers)


@pytest.mark.anyio
async def test_a_used_ticket_says_so_and_signs_nobody_in(world: World, client: TestClient) -> None:
    ticket = await world.credentials.mint_ticket("acme", "ana")
    first, second = (
        client.post(
            "/console/sign-in", data={"ticket": ticket}, headers=SAME_ORIGIN, follow_redirects=False
        )
        for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (303, 401)
    assert "set-cookie" not in second.headers
    assert b'recordguard_sign_ins_total{outcome="refused"} 1.0' in world.metrics.expose()


@pytest.mark.anyio
async def test_pages_show_pseudonyms_until_the_alert_is_confirmed(
    world: World, browser: Browser
) -> None:
    client = browser("ana")
    html = client.get("/console/alerts/alr-1").text
    assert "Heron-31" in html
    assert "u17" not in html
    assert "u17" not in client.get("/console/alerts").text
    assert "u17" not in client.get("/console/alerts/alr-1/agents/Heron-31").text
    world.alerts.rows["alr-1"] = alert(state=AlertState.CONFIRMED)
    assert "u17" in client.get("/console/alerts/alr-1").text


@pytest.mark.anyio
async def test_a_reviewer_acknowledges_with_a_note(world: World, browser: Browser) -> None:
    client = browser("ana")
    csrf = csrf_of(client.get("/console/alerts/alr-1").text)
    answer = client.post(
        "/console/alerts/alr-1/review",
        data={"csrf": csrf, "state": "dismissed", "label": "honest", "note": "a work list"},
        headers=SAME_ORIGIN,
        follow_redirects=False,
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/alerts/alr-1"
    row = world.alerts.rows["alr-1"]
    assert (row.state, row.label, row.note) == (AlertState.DISMISSED, "honest", "a work list")
    assert "Review</h2>" not in client.get("/console/alerts/alr-1").text


@pytest.mark.anyio
async def test_suspending_needs_a_reason_and_a_tick(world: World, browser: Browser) -> None:
    client = browser("ana")
    csrf = csrf_of(client.get("/console/alerts/alr-1").text)
    form = {"csrf": csrf, "pseudonym": "Heron-31", "reason": "see the alert", "hours": "24"}
    for wrong in (
        form,
        form | {"confirm": "yes", "reason": ""},
        form | {"confirm": "yes", "hours": "0"},
    ):
        answer = client.post("/console/alerts/alr-1/suspend", data=wrong, headers=SAME_ORIGIN)
        assert answer.status_code == 422
    assert world.memory.held == []
    answer = client.post(
        "/console/alerts/alr-1/suspend", data=form | {"confirm": "yes"}, headers=SAME_ORIGIN
    )
    assert answer.status_code == 200
    assert world.memory.held[0].key == "agent:acme/u17"
    assert world.memory.held[0].by == "ana"


@pytest.mark.anyio
async def test_forms_of_other_sites_and_old_forms_are_refused(
    world: World, browser: Browser
) -> None:
    client = browser("ana")
    csrf = csrf_of(client.get("/console/alerts/alr-1").text)
    data = {"csrf": csrf, "state": "dismissed", "note": "x"}
    bad: list[tuple[dict[str, str], dict[str, str]]] = [
        (data, {"sec-fetch-site": "cross-site"}),
        (data, {"origin": "https://evil.example"}),
        (data, {}),
        (data | {"csrf": "A" * 43}, SAME_ORIGIN),
        (data | {"csrf": ""}, SAME_ORIGIN),
    ]
    for form, headers in bad:
        answer = client.post("/console/alerts/alr-1/review", data=form, headers=headers)
        assert answer.status_code in {403, 422}
        assert "text/html" in answer.headers["content-type"]
    assert world.alerts.rows["alr-1"].state is AlertState.OPEN
    answer = client.post("/console/sign-in", data={"ticket": "x" * 43}, headers={})
    assert answer.status_code == 403


@pytest.mark.anyio
async def test_roles_open_their_own_pages_only(browser: Browser) -> None:
    client = browser("u17")
    for path in ("/console/alerts", "/console/alerts/alr-1", "/console/audit"):
        assert client.get(path).status_code == 403
    client = browser("aud")
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(
        "/console/alerts/alr-1/review",
        data={"csrf": csrf, "state": "dismissed", "note": "x"},
        headers=SAME_ORIGIN,
    )
    assert answer.status_code == 403


@pytest.mark.anyio
async def test_the_auditor_asks_in_a_form_and_follows_the_pages(
    world: World, browser: Browser
) -> None:
    client = browser("aud")
    world.auditing.note = b"recordguard.local/log\n10\n"
    html = client.get("/console/audit").text
    assert "recordguard.local/log" in html
    csrf = csrf_of(html)
    data = {"csrf": csrf, "about": "customer", "id": "ref-1"}
    answer = client.post("/console/audit", data=data, headers=SAME_ORIGIN)
    assert "#9" in answer.text
    assert world.auditing.asked[0].ref == "ref-1"
    assert client.get("/console/audit/proof/3").text.startswith("c2sp.org/tlog-proof")
    answer = client.post("/console/audit", data=data | {"cursor": "forged"}, headers=SAME_ORIGIN)
    assert answer.status_code == 400
    answer = client.post(
        "/console/audit/export",
        data={"csrf": csrf, "format": "ndjson", "id": ""},
        headers=SAME_ORIGIN,
    )
    assert answer.content == b'{"index":1}\n{"index":2}\n'


@pytest.mark.anyio
async def test_a_suspended_person_keeps_the_page_about_themselves_and_can_object(
    world: World, browser: Browser
) -> None:
    client = browser("ana")
    world.memory.held.append(response("ana"))
    assert client.get("/console/alerts").status_code == 403
    html = client.get("/console/me").text
    assert "a review is under way" in html
    assert 'href="/console/alerts"' not in html
    answer = client.post(
        "/console/notices/rsp-1/contest",
        data={"csrf": csrf_of(html), "text": "I was on the outreach list"},
        headers=SAME_ORIGIN,
    )
    assert answer.status_code == 200
    assert world.memory.held[0].contested == "I was on the outreach list"
    assert "You objected" in answer.text


@pytest.mark.anyio
async def test_what_people_wrote_is_escaped(world: World, browser: Browser) -> None:
    client = browser("ana")
    evil = '"><script>alert(1)</script>'
    world.alerts.rows["alr-1"] = replace(alert(), note=evil, pseudonyms=(evil,))
    world.memory.held.append(replace(response("ana", ResponseKind.NOTIFY), reason=evil))
    for path in ("/console/alerts", "/console/alerts/alr-1", "/console/me"):
        html = client.get(path).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


@pytest.mark.anyio
async def test_signing_out_ends_the_session(world: World, browser: Browser) -> None:
    client = browser("ana")
    csrf = csrf_of(client.get("/console/me").text)
    cookies = dict(client.cookies)
    client.post("/console/sign-out", data={"csrf": csrf}, headers=SAME_ORIGIN)
    client.cookies.update(cookies)
    assert client.get("/console/me").status_code == 401
    assert [e.kind for e in world.memory.entries][-1] is EntryKind.SIGN_IN


def test_the_script_is_short_and_uses_nothing_that_the_policy_forbids(client: TestClient) -> None:
    script = client.get("/console/static/console.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.text.splitlines()) <= 100
    for forbidden in (
        "eval",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "Function(",
        ".style",
    ):
        assert forbidden not in script.text
    style = client.get("/console/static/console.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
