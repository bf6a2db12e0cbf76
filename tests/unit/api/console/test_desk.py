from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from guard.rows import CaseRow
from tests.support.makers import make_case
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import World, refused

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio


def opened(client: TestClient, **fields: str) -> tuple[int, str]:
    csrf = csrf_of(client.get("/console/desk").text)
    data = {"csrf": csrf, "customer": "ref-1", **fields}
    answer = client.post("/console/desk/record", data=data, headers=SAME_ORIGIN)
    return answer.status_code, answer.text


def case(ref: str) -> CaseRow:
    return make_case("case-7", ref=ref)


async def test_an_agent_begins_at_their_own_open_cases(world: World, browser: Browser) -> None:
    world.workload.cases = {"u17": [case("ref-1")], "lee": [case("ref-2")]}
    html = browser("u17").get("/console").text
    assert "case-7" in html
    assert 'data-copy="ref-1"' in html
    assert "ref-2" not in html


async def test_without_cases_the_desk_says_so(browser: Browser) -> None:
    assert "You have no open case." in browser("u17").get("/console/desk").text


async def test_a_record_is_shown_with_its_code_and_why(world: World, browser: Browser) -> None:
    status, html = opened(browser("u17"), case="case-7")
    assert status == 200
    for shown in ("a*****@e*****.com", "masked for support", "7K-QM", "entry 41"):
        assert shown in html
    ((_, asked),) = world.broker.asked
    assert (asked.customer, asked.purpose, asked.case) == ("ref-1", "support_case", "case-7")


async def test_no_case_has_to_be_named(world: World, browser: Browser) -> None:
    opened(browser("u17"), purpose="onboarding")
    ((_, asked),) = world.broker.asked
    assert (asked.purpose, asked.case) == ("onboarding", None)


async def test_a_refusal_says_why(world: World, browser: Browser) -> None:
    world.broker.answer = refused("policy")
    status, html = opened(browser("u17"))
    assert status == 403
    assert "no open case links you to this customer" in html
    assert "entry 42" in html


async def test_a_record_does_not_open_by_a_link(browser: Browser) -> None:
    assert browser("u17").get("/console/desk/record?customer=ref-1").status_code == 405


async def test_a_record_does_not_open_from_another_site(world: World, browser: Browser) -> None:
    client = browser("u17")
    data = {"csrf": "x", "customer": "ref-1"}
    assert client.post("/console/desk/record", data=data, headers=SAME_ORIGIN).status_code == 403
    assert world.broker.asked == []


async def test_auditors_have_no_desk(browser: Browser) -> None:
    assert browser("aud").get("/console/desk").status_code == 403
