import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from guard.break_glass import ReasonCode
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.console.desk_browser import EVIL, post
from tests.unit.api.console.test_pages import check_headers
from tests.unit.api.fakes import World

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
FORMS = {
    "code": {"code": "012345"},
    "glass": {
        "reason_code": "threat_to_life",
        "text": "the caller says that their house is on fire",
        "minutes": "15",
    },
}


async def test_a_code_opens_the_record_from_there(world: World, browser: Browser) -> None:
    status, html = post(browser("u17"), "code", case="case-7", **FORMS["code"])
    assert status == 200
    assert world.presence.claimed == [("ref-1", "012345", "case-7")]
    assert "The code holds" in html
    assert "012345" not in html
    assert 'name="case" value="case-7"' in html
    assert 'action="/console/desk/record"' in html


async def test_a_broken_glass_opens_the_record_for_that_purpose(
    world: World, browser: Browser
) -> None:
    status, html = post(browser("u17"), "glass", **FORMS["glass"])
    assert status == 200
    (put,) = world.break_glass.puts
    assert (put.customer, put.reason_code, put.minutes) == (
        "ref-1", ReasonCode.THREAT_TO_LIFE, 15,
    )  # fmt: skip
    assert "house is on fire" not in html
    assert 'name="purpose" value="break_glass"' in html


@pytest.mark.parametrize("changes", [{"reason_code": "curious"}, {"minutes": "x"}, {"text": ""}])
async def test_a_glass_is_not_broken_without_reasons(
    world: World, browser: Browser, changes: dict[str, str]
) -> None:
    assert post(browser("u17"), "glass", **FORMS["glass"] | changes)[0] == 422
    assert world.break_glass.puts == []


@pytest.mark.parametrize("act", FORMS)
async def test_grants_are_forms_of_this_site_and_of_the_desk(
    world: World, browser: Browser, act: str
) -> None:
    client = browser("u17")
    csrf = csrf_of(client.get("/console/desk").text)
    data = {"csrf": csrf, "customer": "ref-1", **FORMS[act]}
    for token, headers in ((csrf, {"sec-fetch-site": "cross-site"}), ("x", SAME_ORIGIN)):
        answer = client.post(f"/console/desk/{act}", data=data | {"csrf": token}, headers=headers)
        assert answer.status_code == 403
    for name in ("aud", "ana"):
        client = browser(name)
        own = data | {"csrf": csrf_of(client.get("/console/me").text)}
        answer = client.post(f"/console/desk/{act}", data=own, headers=SAME_ORIGIN)
        assert answer.status_code == 403
    assert world.presence.claimed == []
    assert world.break_glass.puts == []


@pytest.mark.parametrize("act", FORMS)
async def test_answers_are_escaped_and_not_kept(browser: Browser, act: str) -> None:
    client = browser("u17")
    data = {"csrf": csrf_of(client.get("/console/desk").text), **FORMS[act], "customer": EVIL}
    answer = client.post(f"/console/desk/{act}", data=data, headers=SAME_ORIGIN)
    assert answer.status_code == 200
    check_headers(answer.headers)
    assert "<script>alert" not in answer.text
    assert not re.search(r"\son\w+=|style=|<style|javascript:", answer.text)
