"""The scripted analyst, before a broker that answers with alerts."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from api.cli.demo import analyst
from api.cli.demo.analyst import SUSPENDED_FOR, Verdict, review
from api.cli.demo.tally import Tally
from guard.clock import ManualClock, to_rfc3339
from tests.support.makers import NOON

pytestmark = pytest.mark.anyio
QUIET = {"id": "1", "severity": "high", "kind": "agent", "agents": ["Crane-7"]}
WEATHER = {"id": "2", "severity": "critical", "kind": "weather", "agents": []}
ALERT = {"id": "3", "severity": "critical", "kind": "agent", "agents": ["Heron-31"]}
CONFIRMED = ALERT | {"agents": ["eve"], "score": 9.5, "reasons": ["14 of 61 views"]}


class Broker:
    """Shows more alerts with each look; names are told once an alert is confirmed."""

    def __init__(self, *pages: list[dict[str, Any]], status: int = 200) -> None:
        self.pages, self.status = list(pages), status
        self.done: list[tuple[str, str, dict[str, Any]]] = []
        self.acknowledged = asyncio.Event()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            assert request.url.query == b"state=open"
            page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
            return httpx2.Response(self.status, json={"alerts": page})
        assert request.headers["authorization"] == "Bearer token-ana"
        body = json.loads(request.content)
        self.done.append((request.method, request.url.path, body))
        if body.get("state") == "acknowledged":
            self.acknowledged.set()
        is_end = body.get("state") == "confirmed"
        return httpx2.Response(200, json=CONFIRMED if is_end else ALERT)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyst, "POLL_S", 0)


async def reviewed(broker: Broker, tally: Tally) -> Verdict:
    transport = httpx2.MockTransport(broker)
    async with httpx2.AsyncClient(base_url="http://broker", transport=transport) as client:
        return await review(client, "token-ana", ManualClock(NOON), tally)


@pytest.fixture
def tally() -> Tally:
    found = Tally(insider="eve")
    found.cut.set()
    return found


async def test_she_waits_for_a_critical_alert_about_an_agent(tally: Tally) -> None:
    broker = Broker([], [QUIET, WEATHER], [QUIET, WEATHER, ALERT])
    assert (await reviewed(broker, tally)).alert_id == "3"
    assert {path for _, path, _ in broker.done} == {"/v1/alerts/3", "/v1/suspensions"}


async def test_she_acknowledges_suspends_and_then_confirms(tally: Tally) -> None:
    broker = Broker([ALERT])
    await reviewed(broker, tally)
    steps = [(method, path, body.get("state")) for method, path, body in broker.done]
    assert steps == [
        ("PATCH", "/v1/alerts/3", "acknowledged"),
        ("POST", "/v1/suspensions", None),
        ("PATCH", "/v1/alerts/3", "confirmed"),
    ]


async def test_she_suspends_by_pseudonym_until_a_stated_end(tally: Tally) -> None:
    broker = Broker([ALERT])
    await reviewed(broker, tally)
    body = broker.done[1][2]
    assert (body["alert"], body["pseudonym"]) == ("3", "Heron-31")
    assert body["ends_at"] == to_rfc3339(NOON + SUSPENDED_FOR)
    assert body["reason"]


async def test_she_learns_the_name_at_the_end_only(tally: Tally) -> None:
    verdict = await reviewed(Broker([ALERT]), tally)
    assert (verdict.pseudonyms, verdict.agents) == (("Heron-31",), ("eve",))
    assert (verdict.severity, verdict.score, verdict.reasons) == (
        "critical",
        9.5,
        ("14 of 61 views",),
    )


async def test_she_lets_the_ladder_show_its_effect_first() -> None:
    tally, broker = Tally(insider="eve"), Broker([ALERT])
    task = asyncio.create_task(reviewed(broker, tally))
    await asyncio.wait_for(broker.acknowledged.wait(), 20)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(broker.done) == 1
    tally.cut.set()
    await asyncio.wait_for(task, 20)
    assert len(broker.done) == 3


async def test_an_answer_that_is_an_error_is_not_passed_over(tally: Tally) -> None:
    with pytest.raises(httpx2.HTTPStatusError):
        await reviewed(Broker([ALERT], status=403), tally)
