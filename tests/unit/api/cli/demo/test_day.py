"""A day of requests, on a clock that stands behind the last of them: nothing waits."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from api.cli.demo import day as module
from api.cli.demo.day import MAX_BATCH, REASON, Day, Sequel
from api.cli.demo.tally import SUSPENDED, Tally
from detectors.floor_actions import Action, Assigned, CaseClosed, CaseOpened, Transferred, View
from guard.clock import HOUR, ManualClock
from guard.errors import UnavailableError
from policies.model import Link, Purpose
from tests.support.makers import NOON

OPENED = CaseOpened(at=NOON, case_id="k1", customer=7, channel="chat")
GIVEN = Assigned(at=NOON + 1, case_id="k1", customer=7, agent_id="a1", how="inbound")
MOVED = Transferred(at=NOON + 5, case_id="k1", customer=7, from_agent="a1", to_agent="a2")
CLOSED = CaseClosed(at=NOON + 9, case_id="k1", customer=7)


def view(at: int = NOON + 3, case: str | None = "k1", agent: str = "a1", **more: Any) -> View:  # noqa: ANN401 - any field
    return View(
        at=at,
        agent_id=agent,
        customer=7,
        case_id=case,
        purpose=Purpose.SUPPORT_CASE,
        link=Link.OWNER,
        **more,
    )


def test_a_view_waits_until_its_case_has_been_told() -> None:
    sequel = Sequel([OPENED, GIVEN, view()])
    assert not sequel.may_view(view())
    sequel.told(OPENED)
    assert not sequel.may_view(view())
    sequel.told(GIVEN)
    assert sequel.may_view(view())


def test_a_view_does_not_wait_for_what_comes_after_it() -> None:
    sequel = Sequel([OPENED, GIVEN, view(), MOVED, CLOSED])
    sequel.told(OPENED)
    sequel.told(GIVEN)
    assert sequel.may_view(view())
    assert not sequel.may_view(view(at=MOVED.at + 1))


def test_a_view_without_a_case_waits_for_nothing() -> None:
    assert Sequel([OPENED]).may_view(view(case=None))


@pytest.mark.parametrize("step", [MOVED, CLOSED])
def test_a_step_that_ends_work_waits_for_the_views_before_it(
    step: Transferred | CaseClosed,
) -> None:
    sequel = Sequel([OPENED, view(), view(at=NOON + 20), step])
    assert not sequel.may_step(step)
    sequel.viewed(view())
    assert sequel.may_step(step)


def test_a_step_that_begins_work_waits_for_nobody() -> None:
    sequel = Sequel([view(at=NOON - 1), OPENED, GIVEN])
    assert sequel.may_step(OPENED)
    assert sequel.may_step(GIVEN)


Answer = Callable[[str, dict[str, Any]], httpx2.Response]


def fine(path: str, body: dict[str, Any]) -> httpx2.Response:
    if path.endswith("cases:batch"):
        return httpx2.Response(200, json={"items": [{"problem": None} for _ in body["cases"]]})
    return httpx2.Response(200, json={})


class Broker:
    """Answers as the test says, and remembers what was asked, by whom, in order."""

    def __init__(self, answer: Answer = fine) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.asked.append((request.url.path, token, body))
        return self.answer(request.url.path, body)

    @property
    def views(self) -> list[dict[str, Any]]:
        return [body for path, _, body in self.asked if path == "/v1/views"]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0)
    monkeypatch.setattr(module, "TICK_S", 0)


async def play(broker: Broker, *actions: Action, insider: str = "eve") -> Tally:
    tally = Tally(insider=insider)
    transport = httpx2.MockTransport(broker)
    async with httpx2.AsyncClient(base_url="http://broker", transport=transport) as client:
        day = Day(
            client=client,
            clock=ManualClock(NOON + HOUR),
            rate=2000.0,
            tokens={name: f"token-{name}" for name in ("a1", "a2", "eve")},
            sync_token="token-sync",  # noqa: S106 - of nobody
            refs={7: "ref-7"},
            tally=tally,
        )
        await day.play(actions)
    return tally


@pytest.mark.anyio
async def test_each_desk_asks_under_its_own_token_about_a_reference() -> None:
    broker = Broker()
    tally = await play(broker, OPENED, GIVEN, view(device="d1"))
    (asked,) = [(token, body) for path, token, body in broker.asked if path == "/v1/views"]
    assert asked == (
        "token-a1",
        {
            "customer": "ref-7",
            "purpose": "support_case",
            "case": "k1",
            "device": "d1",
            "reason": None,
        },
    )
    assert tally.served == 1


@pytest.mark.anyio
async def test_the_ticket_system_tells_a_case_before_it_is_worked_on_and_ends_it_after() -> None:
    broker = Broker()
    await play(broker, OPENED, GIVEN, view(), MOVED, view(at=NOON + 7, agent="a2"), CLOSED)
    told = [path if path == "/v1/views" else ended(body) for path, _, body in broker.asked]
    assert told == [(0, None), "/v1/views", (1, None), "/v1/views", (1, True)]


def ended(body: dict[str, Any]) -> tuple[int, bool | None]:
    """How many assignments of the case have ended, and whether it is closed."""
    (case,) = body["cases"]
    over = sum(given["to"] is not None for given in case["assignments"])
    return over, True if case["closed_at"] else None


@pytest.mark.anyio
async def test_an_honest_look_without_a_case_gives_a_reason() -> None:
    broker = Broker()
    await play(broker, view(case=None), view(case=None, agent="eve", truth="photographer"))
    assert sorted(str(body["reason"]) for body in broker.views) == sorted([REASON, "None"])


@pytest.mark.anyio
async def test_refusals_are_counted_by_the_code_of_the_problem() -> None:
    broker = Broker(lambda _path, _body: httpx2.Response(403, json={"code": "quota"}))
    tally = await play(broker, view(case=None))
    assert tally.refused == Counter(quota=1)


@pytest.mark.anyio
async def test_a_refusal_without_a_code_is_counted_by_its_status() -> None:
    broker = Broker(lambda _path, _body: httpx2.Response(401, json={}))
    assert (await play(broker, view(case=None))).refused == Counter({"401": 1})


@pytest.mark.anyio
async def test_an_outage_is_waited_out() -> None:
    outage = [httpx2.Response(503), httpx2.Response(503)]
    broker = Broker(lambda path, body: outage.pop() if outage else fine(path, body))
    tally = await play(broker, view(case=None))
    assert (tally.served, tally.unavailable, len(broker.asked)) == (1, 0, 3)


@pytest.mark.anyio
async def test_an_outage_that_does_not_end_is_counted() -> None:
    tally = await play(Broker(lambda _path, _body: httpx2.Response(503)), view(case=None))
    assert (tally.served, tally.unavailable) == (0, 1)


@pytest.mark.anyio
async def test_a_case_that_was_not_taken_is_put_again_alone() -> None:
    other = CaseOpened(at=NOON, case_id="k2", customer=7, channel="chat")
    refusals = [True]

    def once(path: str, body: dict[str, Any]) -> httpx2.Response:
        if not refusals:
            return fine(path, body)
        refusals.clear()
        return httpx2.Response(
            200, json={"items": [{"problem": None}, {"problem": {"status": 503}}]}
        )

    broker = Broker(once)
    await play(broker, OPENED, other)
    first, second = ([case["id"] for case in body["cases"]] for _, _, body in broker.asked)
    assert (first, second) == (["k1", "k2"], ["k2"])


@pytest.mark.anyio
async def test_a_broker_that_takes_no_cases_at_all_ends_the_day() -> None:
    broker = Broker(lambda _path, _body: httpx2.Response(400, json={}))
    with pytest.raises(ExceptionGroup) as caught:
        await play(broker, OPENED)
    assert caught.value.subgroup(UnavailableError) is not None


@pytest.mark.anyio
async def test_many_cases_travel_in_bounded_batches() -> None:
    broker = Broker()
    many = [
        CaseOpened(at=NOON, case_id=f"k{n}", customer=7, channel="chat")
        for n in range(MAX_BATCH + 1)
    ]
    await play(broker, *many)
    assert [len(body["cases"]) for _, _, body in broker.asked] == [MAX_BATCH, 1]


@pytest.mark.anyio
async def test_whoever_is_stopped_does_not_ask_any_more() -> None:
    broker = Broker(lambda _path, _body: httpx2.Response(403, json={"code": SUSPENDED}))
    looks = [view(at=NOON + n, case=None, agent="eve", truth="photographer") for n in range(200)]
    tally = await play(broker, *looks)
    assert tally.stopped.is_set()
    assert 0 < tally.refused[SUSPENDED] < len(looks)
