from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import World, response

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
CONTEST = "/console/notices/rsp-1/contest"


async def test_everybody_sees_their_own_budgets(browser: Browser) -> None:
    html = browser("u17").get("/console/me").text
    assert "distinct-hour" in html
    assert "12" in html


async def test_without_a_notice_none_is_shown(browser: Browser) -> None:
    assert "/contest" not in browser("u17").get("/console/me").text


async def test_a_notice_says_why_and_not_by_whom(world: World, browser: Browser) -> None:
    client = browser("u17")
    world.memory.held.append(response("u17"))
    html = client.get("/console/me").text
    assert "a review is under way" in html
    assert ">ana<" not in html
    assert "alr-1" not in html


async def test_notices_of_others_are_not_shown(world: World, browser: Browser) -> None:
    client = browser("u17")
    world.memory.held.append(response("somebody-else"))
    assert "a review is under way" not in client.get("/console/me").text


async def test_objecting_leads_back_to_the_page(world: World, browser: Browser) -> None:
    client = browser("u17")
    world.memory.held.append(response("u17"))
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(
        CONTEST,
        data={"csrf": csrf, "text": "it was the outreach list"},
        headers=SAME_ORIGIN,
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/me")
    assert world.memory.held[0].contested == "it was the outreach list"


@pytest.mark.parametrize("text", ["", "x" * 2001])
async def test_an_objection_is_a_text_of_a_page_at_most(
    world: World, browser: Browser, text: str
) -> None:
    client = browser("u17")
    world.memory.held.append(response("u17"))
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(CONTEST, data={"csrf": csrf, "text": text}, headers=SAME_ORIGIN)
    assert answer.status_code == 422
    assert world.memory.held[0].contested is None


async def test_nobody_objects_to_a_notice_of_another(world: World, browser: Browser) -> None:
    client = browser("u17")
    world.memory.held.append(response("somebody-else"))
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(CONTEST, data={"csrf": csrf, "text": "mine?"}, headers=SAME_ORIGIN)
    assert answer.status_code == 404
    assert world.memory.held[0].contested is None


async def test_another_site_cannot_object_in_ones_name(world: World, browser: Browser) -> None:
    client = browser("u17")
    world.memory.held.append(response("u17"))
    csrf = csrf_of(client.get("/console/me").text)
    answer = client.post(
        CONTEST,
        data={"csrf": csrf, "text": "I admit it"},
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert world.memory.held[0].contested is None


async def test_everybody_sees_what_is_logged_about_them(browser: Browser) -> None:
    html = browser("u17").get("/console/me").text
    assert "Who looked at my log" in html
    assert "an auditor" in html
    assert "<td>support case</td><td>owner</td>" in html
    assert "kept for thirteen months" in html
