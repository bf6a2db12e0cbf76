import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from guard.errors import InvalidRequestError
from guard.views import DeliveryState, NextStep, RefusalCode, RevealRequest, Verified, VerifyRequest
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.console.desk_browser import EVIL, note, post
from tests.unit.api.console.test_pages import check_headers
from tests.unit.api.fakes import World, contacted, masked, receipt, refused, revealed, served

Browser = Callable[[str], TestClient]
pytestmark = pytest.mark.anyio
ONCE = "mail-0123456789abcdef"
FORMS: dict[str, dict[str, object]] = {
    "reveal": {"view": "e" * 32, "fields": ["email", "iban"], "reason": "they ask me to spell it"},
    "verify": {"what": "cards[].number:last4", "claim": "4242"},
    "contact": {"channel": "mail", "subject": "Your order", "text": "On its way.", "once": ONCE},
}


def sent(client: TestClient, act: str, **changes: object) -> tuple[int, str]:
    return post(client, act, **FORMS[act] | changes)


async def test_revealed_values_show_with_their_seconds_and_leave_by_themselves(
    world: World, browser: Browser
) -> None:
    shown = replace(
        served(), record=masked({"email": "maria@example.com"}), fields=(note("email"),)
    )
    world.broker.says = replace(revealed(), shown=shown)
    status, html = sent(browser("u17"), "reveal", case="case-7")
    assert status == 200
    assert "maria@example.com" in html
    assert '<meta http-equiv="refresh" content="30;url=/console/desk">' in html
    assert 'data-seconds="30"' in html
    assert "not for this purpose" in html
    (asked,) = world.broker.acts
    assert isinstance(asked, RevealRequest)
    assert (asked.view, asked.fields) == ("e" * 32, ("email", "iban"))
    assert asked.reason == "they ask me to spell it"


async def test_a_reveal_says_what_else_helps_and_what_enforcing_would_do(
    world: World, browser: Browser
) -> None:
    closed = note("iban", NextStep.CUSTOMER_CODE, NextStep.ASK_SECOND_LINE)
    shown = replace(served(), would="refused")
    world.broker.says = replace(revealed(), shown=shown, refused=(closed,))
    _, html = sent(browser("u17"), "reveal")
    for text in ("Ask the customer for a code", "Ask the second line", "have refused this"):
        assert text in html


async def test_a_reveal_of_nothing_is_answered_in_words(world: World, browser: Browser) -> None:
    world.broker.says = InvalidRequestError("a reveal opens 1 to 5 fields")
    status, html = sent(browser("u17"), "reveal", fields=[])
    assert status == 422
    assert "a reveal opens 1 to 5 fields" in html


async def test_a_refused_reveal_offers_the_customers_code(world: World, browser: Browser) -> None:
    world.broker.says = replace(
        refused("not_revealed"), code=RefusalCode.NOT_REVEALED, next=(NextStep.CUSTOMER_CODE,)
    )
    status, html = sent(browser("u17"), "reveal", case="case-7")
    assert status == 403
    assert 'action="/console/desk/code"' in html
    assert 'name="case" value="case-7"' in html


@pytest.mark.parametrize(("matches", "said"), [(True, "Yes, it matches"), (False, "No, it does")])
async def test_a_check_answers_yes_or_no_and_not_what_was_said(
    world: World, browser: Browser, *, matches: bool, said: str
) -> None:
    world.broker.says = Verified(matches=matches, would="", budgets=(), receipt=receipt(44))
    status, html = sent(browser("u17"), "verify", case="case-7")
    assert (status, said in html) == (200, True)
    assert "4242" not in html
    (asked,) = world.broker.acts
    assert isinstance(asked, VerifyRequest)
    assert (asked.field, asked.part, asked.claim) == ("cards[].number", "last4", "4242")
    assert (asked.customer, asked.case) == ("ref-1", "case-7")


@pytest.mark.parametrize("what", ["email", "email:", ":full", "a:b:c", "email:FULL"])
async def test_a_field_without_a_part_is_not_checked(
    world: World, browser: Browser, what: str
) -> None:
    assert sent(browser("u17"), "verify", what=what)[0] == 422
    assert world.broker.acts == []


@pytest.mark.parametrize(
    ("channel", "state", "status", "said"),
    [
        ("mail", DeliveryState.DELIVERED, 200, "Sent"),
        ("call", DeliveryState.DELIVERED, 200, "The call is placed"),
        ("message", DeliveryState.FAILED, 200, "Not sent"),
        ("call", DeliveryState.FAILED, 200, "The call was not placed"),
        ("mail", DeliveryState.UNKNOWN, 202, "Nobody knows whether it arrived"),
    ],
)
async def test_a_contact_says_how_it_ended(
    world: World, browser: Browser, channel: str, state: DeliveryState, status: int, said: str
) -> None:
    world.broker.says = replace(contacted(state), next=(NextStep.OTHER_CHANNEL,), would="refused")
    answer, html = sent(browser("u17"), "contact", channel=channel)
    assert answer == status
    for text in (said, "Use another channel", "m-1", "entry 45", "Enforcing would have refused"):
        assert text in html
    assert "On its way" not in html
    assert ("Call again" in html) == (channel == "call")


async def test_a_page_that_is_loaded_again_sends_nothing_twice(
    world: World, browser: Browser
) -> None:
    client = browser("u17")
    data = {"csrf": csrf_of(client.get("/console/desk").text), "customer": "ref-1"}
    data |= {name: str(value) for name, value in FORMS["contact"].items()}
    pages = [
        client.post("/console/desk/contact", data=data, headers=SAME_ORIGIN).text for _ in "ab"
    ]
    assert len(world.broker.acts) == 1
    assert ["a second time" in page for page in pages] == [False, True]
    (kept,) = world.memory.replies.values()
    assert b"On its way" not in kept[2]
    assert data["csrf"].encode() not in kept[2]
    client.post(
        "/console/desk/contact", data=data | {"text": "One more thing."}, headers=SAME_ORIGIN
    )
    assert len(world.broker.acts) == 2


async def test_a_call_can_be_placed_again(world: World, browser: Browser) -> None:
    client = browser("u17")
    fields: dict[str, object] = {"channel": "call", "subject": "", "text": ""}
    _, html = sent(client, "contact", **fields)
    match = re.search(r'name="once" value="([^"]+)"', html)
    assert match is not None
    sent(client, "contact", **fields, once=match[1])
    assert len(world.broker.acts) == 2


async def test_a_refused_contact_is_not_kept(world: World, browser: Browser) -> None:
    world.broker.says = refused("no_channel")
    status, html = sent(browser("u17"), "contact")
    assert status == 403
    assert "Use another channel" in html
    assert world.memory.replies == {}


@pytest.mark.parametrize(
    "changes", [{"subject": "a\r\nBcc: x"}, {"channel": "pigeon"}, {"once": "short"}]
)
async def test_what_no_channel_takes_is_refused(
    world: World, browser: Browser, changes: dict[str, str]
) -> None:
    assert sent(browser("u17"), "contact", **changes)[0] == 422
    assert world.broker.acts == []


@pytest.mark.parametrize(
    ("act", "entry", "outcome"),
    [("reveal", 41, "permitted"), ("verify", 44, "permitted"), ("contact", 45, "delivered")],
)
async def test_acts_are_counted_and_noted_as_elsewhere(
    world: World, browser: Browser, log_lines: io.StringIO, act: str, entry: int, outcome: str
) -> None:
    client = browser("u17")
    sent(client, act)
    world.broker.says = refused("suspended")
    status, html = sent(client, act, once="another-0123456789")
    if act != "contact":
        # Only a contact has such a field.
        assert status == 422
        status, html = sent(client, act)
    assert (status, "See your notices" in html) == (403, True)
    shown = world.metrics.expose().decode()
    for word in ("permitted", "suspended"):
        assert f'recordguard_acts_total{{act="{act}",outcome="{word}"}} 1.0' in shown
    assert f'"entry": {entry}' in log_lines.getvalue()
    assert f'"outcome": "{outcome}"' in log_lines.getvalue()


@pytest.mark.parametrize("act", FORMS)
async def test_an_act_is_a_form_of_this_site_and_of_the_desk(
    world: World, browser: Browser, act: str
) -> None:
    client = browser("u17")
    csrf = csrf_of(client.get("/console/desk").text)
    data = {"csrf": csrf, "customer": "ref-1", **FORMS[act]}
    for token, headers in ((csrf, {"sec-fetch-site": "cross-site"}), ("x", SAME_ORIGIN)):
        answer = client.post(f"/console/desk/{act}", data=data | {"csrf": token}, headers=headers)
        assert answer.status_code == 403
    assert client.get(f"/console/desk/{act}").status_code == 405
    for name in ("aud", "ana"):
        client = browser(name)
        own = data | {"csrf": csrf_of(client.get("/console/me").text)}
        answer = client.post(f"/console/desk/{act}", data=own, headers=SAME_ORIGIN)
        assert answer.status_code == 403
    assert world.broker.acts == []


@pytest.mark.parametrize("act", FORMS)
async def test_answers_are_escaped_not_kept_and_have_nothing_inline(
    world: World, browser: Browser, act: str
) -> None:
    record = replace(served(), record=masked({EVIL: EVIL}), fields=(replace(note(EVIL), why=EVIL),))
    if act == "reveal":
        world.broker.says = replace(revealed(), shown=record, refused=(note(EVIL),))
    if act == "contact":
        world.broker.says = replace(contacted(), channel_id=EVIL)
    client = browser("u17")
    evil = {"what": f"{EVIL}:full"} if act == "verify" else {}
    data = {"csrf": csrf_of(client.get("/console/desk").text), **FORMS[act], **evil}
    data |= {"customer": EVIL, "case": EVIL}
    answer = client.post(f"/console/desk/{act}", data=data, headers=SAME_ORIGIN)
    assert answer.status_code == 200
    check_headers(answer.headers)
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert not re.search(r"\son\w+=|style=|<style|javascript:", answer.text)
