import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from guard.rows import CaseRow
from guard.views import Found, NextStep, SearchRequest
from tests.support.makers import make_case
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.console.desk_browser import EVIL, full_record, note, post
from tests.unit.api.console.test_pages import check_headers
from tests.unit.api.fakes import World, masked, receipt, refused, served

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
SEARCH = {"kind": "email", "value": "maria@example.com", "purpose": "support_case"}


def opened(client: TestClient, **fields: str) -> tuple[int, str]:
    return post(client, "record", **fields)


def searched(client: TestClient, **fields: str) -> tuple[int, str]:
    csrf = csrf_of(client.get("/console/desk").text)
    data = {"csrf": csrf, **SEARCH, **fields}
    answer = client.post("/console/desk/search", data=data, headers=SAME_ORIGIN)
    return answer.status_code, answer.text


def found(customer: str | None, *, narrow: bool = False, would: str = "") -> Found:
    return Found(customer=customer, narrow=narrow, would=would, budgets=(), receipt=receipt(43))


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
    for shown in (
        "a*****@e*****.com",
        "masked for support",
        "7K-QM",
        "entry 41",
        "12 of 60 customers this hour",
    ):
        assert shown in html
    ((_, asked),) = world.broker.asked
    assert (asked.customer, asked.purpose, asked.case) == ("ref-1", "support_case", "case-7")


async def test_no_case_has_to_be_named(world: World, browser: Browser) -> None:
    opened(browser("u17"), purpose="onboarding", case="", reason="")
    ((_, asked),) = world.broker.asked
    assert (asked.purpose, asked.case, asked.reason) == ("onboarding", None, None)


async def test_a_reason_goes_with_the_view(world: World, browser: Browser) -> None:
    opened(browser("u17"), reason="they called back")
    assert world.broker.asked[0][1].reason == "they called back"


async def test_the_record_offers_what_its_fields_offer(world: World, browser: Browser) -> None:
    world.broker.answer = full_record()
    _, html = opened(browser("u17"), case="case-7")
    assert re.findall(r'name="fields" value="([^"]+)"', html) == ["email"]
    assert re.findall(r'<option value="(\w+:\w+)"', html) == [
        "email:full", "phone:last4", "phone:full",
    ]  # fmt: skip
    assert re.findall(r'name="channel" value="(\w+)"', html) == ["mail", "call"]
    for form in ("reveal", "verify", "contact", "code", "glass", "again"):
        assert f'id="{form}"' in html
    for link in ('href="#verify"', 'href="#contact"', 'href="#code"', 'href="#glass"'):
        assert link in html
    assert f'name="view" value="{receipt(41).entry_id}"' in html


async def test_a_record_offers_nothing_that_no_field_offers(browser: Browser) -> None:
    _, html = opened(browser("u17"))
    for form in ("reveal", "verify", "contact", "code", "glass", "again"):
        assert f'id="{form}"' not in html


async def test_nobody_is_offered_what_their_role_cannot_do(world: World, browser: Browser) -> None:
    world.broker.answer = full_record()
    client = browser("ana")
    assert 'id="search"' not in client.get("/console/desk").text
    _, html = opened(client)
    for form in ("reveal", "verify", "contact", "code", "glass"):
        assert f'id="{form}"' not in html
        assert f'href="#{form}"' not in html
    assert "Reveal with a reason" in html


async def test_a_refusal_says_why_and_what_helps(world: World, browser: Browser) -> None:
    steps = (NextStep.NAME_CASE, NextStep.CUSTOMER_CODE, NextStep.BREAK_GLASS, NextStep.STEP_UP)
    world.broker.answer = replace(refused("policy"), next=steps)
    status, html = opened(browser("u17"), purpose="onboarding", case="case-9")
    assert status == 403
    for shown in ("no open case links you to this customer", "entry 42", "12 of 60",
                  "Confirm a second factor", 'value="case-9"'):  # fmt: skip
        assert shown in html
    assert '<option value="onboarding" selected>' in html
    for form in ("again", "code", "glass"):
        assert f'id="{form}"' in html
        assert f'href="#{form}"' in html


async def test_a_refusal_offers_no_form_that_does_not_help(world: World, browser: Browser) -> None:
    world.broker.answer = refused("quota", left=0)
    status, html = opened(browser("u17"))
    assert status == 429
    assert "Again from " in html
    assert "Ask your lead to lift the limit" in html
    for form in ("again", "code", "glass"):
        assert f'id="{form}"' not in html


async def test_views_and_refusals_are_counted_as_elsewhere(
    world: World, browser: Browser, log_lines: io.StringIO
) -> None:
    client = browser("u17")
    opened(client)
    assert '"entry": 41' in log_lines.getvalue()
    world.broker.answer = refused("explained_only")
    opened(client)
    shown = world.metrics.expose().decode()
    for line in (
        'recordguard_views_total{outcome="permitted"} 1.0',
        'recordguard_acts_total{act="view",outcome="permitted"} 1.0',
        'recordguard_views_total{outcome="explained_only"} 1.0',
        'recordguard_acts_total{act="view",outcome="explained_only"} 1.0',
        'recordguard_problems_total{problem="explained-only"} 1.0',
    ):
        assert line in shown
    assert '"entry": 42' in log_lines.getvalue()


async def test_a_search_leads_to_a_reference_and_opens_it(world: World, browser: Browser) -> None:
    status, html = searched(browser("u17"), purpose="onboarding", reason="they lost the number")
    assert status == 200
    opens = ('name="customer" value="ref-1"', 'name="purpose" value="onboarding"')
    for shown in ("One customer found", 'data-copy="ref-1"', "entry 43", *opens):
        assert shown in html
    (asked,) = world.broker.acts
    assert "maria" not in repr(asked)
    assert isinstance(asked, SearchRequest)
    assert (asked.kind, asked.value) == ("email", "maria@example.com")
    assert asked.reason == "they lost the number"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (found(None), "Nobody found"),
        (found(None, narrow=True), "another identifier"),
        (found("ref-1", would="refused"), "Enforcing would have refused this"),
        (refused("quota", left=0), "A budget of yours is spent"),
    ],
)
async def test_no_answer_repeats_what_was_typed(
    world: World, browser: Browser, answer: object, said: str, log_lines: io.StringIO
) -> None:
    world.broker.says = answer
    _, html = searched(browser("u17"))
    assert said in html
    assert "maria" not in html
    assert "maria" not in log_lines.getvalue()


async def test_a_refused_search_has_no_form_about_a_customer(
    world: World, browser: Browser
) -> None:
    world.broker.says = replace(refused("policy"), next=(NextStep.GIVE_REASON,))
    status, html = searched(browser("u17"))
    assert status == 403
    assert "Give a reason" in html
    assert 'href="#again"' not in html
    assert 'name="customer"' not in html


async def test_only_known_identifiers_are_looked_up(world: World, browser: Browser) -> None:
    status, html = searched(browser("u17"), kind=EVIL)
    assert status == 422
    assert "<script>alert" not in html
    assert world.broker.acts == []


async def test_no_page_of_the_desk_is_kept_or_has_anything_inline(
    world: World, browser: Browser
) -> None:
    world.broker.answer = full_record()
    client = browser("u17")
    answer = client.get("/console/desk")
    for path, fields in (("record", {"customer": "ref-1"}), ("search", SEARCH)):
        data = {"csrf": csrf_of(answer.text), **fields}
        posted = client.post(f"/console/desk/{path}", data=data, headers=SAME_ORIGIN)
        for page in (answer, posted):
            check_headers(page.headers)
            assert not re.search(r"\son\w+=|style=|<style|javascript:", page.text)
            assert page.text.count("<h1") == 1
            ids = re.findall(r'\sid="([^"]+)"', page.text)
            assert len(ids) == len(set(ids))
            labelled = set(re.findall(r'for="([^"]+)"', page.text))
            assert labelled <= set(ids)


async def test_what_a_record_holds_is_escaped(world: World, browser: Browser) -> None:
    fields = (replace(note(EVIL, *NextStep, verify=("full",)), contact="mail", why=EVIL),)
    world.broker.answer = replace(
        served(), record=masked({EVIL: EVIL}), fields=fields, view_code=EVIL
    )
    _, html = opened(browser("u17"), customer=EVIL, case=EVIL)
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


async def test_a_refusal_is_escaped(world: World, browser: Browser) -> None:
    world.broker.answer = replace(refused("policy"), reasons=(EVIL,), next=tuple(NextStep))
    _, html = opened(browser("u17"), customer=EVIL, case=EVIL)
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


async def test_a_record_does_not_open_by_a_link(browser: Browser) -> None:
    client = browser("u17")
    assert client.get("/console/desk/record?customer=ref-1").status_code == 405
    assert client.get("/console/desk/search?value=x").status_code == 405


async def test_nothing_is_done_from_another_site(world: World, browser: Browser) -> None:
    client = browser("u17")
    csrf = csrf_of(client.get("/console/desk").text)
    for path, fields in (("record", {"customer": "ref-1"}), ("search", SEARCH)):
        bad: list[tuple[str, dict[str, str]]] = [("x", SAME_ORIGIN), (csrf, {})]
        bad.append((csrf, {"sec-fetch-site": "cross-site"}))
        for token, headers in bad:
            answer = client.post(
                f"/console/desk/{path}", data={"csrf": token, **fields}, headers=headers
            )
            assert answer.status_code == 403
    assert world.broker.asked == []
    assert world.broker.acts == []


async def test_auditors_have_no_desk(browser: Browser) -> None:
    assert browser("aud").get("/console/desk").status_code == 403
