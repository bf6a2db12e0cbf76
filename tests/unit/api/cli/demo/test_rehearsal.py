import json

import httpx2
import pytest

from api.cli.demo.rehearsal import FILE, rehearse, stricter
from policies.bundle import load_bundle
from policies.engine import Engine
from policies.lint import lint
from policies.model import Forbid, Link, Permit
from tests.support.policy_bundles import make_facts

pytestmark = pytest.mark.anyio


def test_the_stricter_policy_is_one_that_lint_lets_pass() -> None:
    assert lint({name: text.encode() for name, text in stricter().items()}) == ()


@pytest.mark.parametrize(
    ("link", "reason_given", "expected"),
    [
        (Link.NONE, False, Forbid),
        (Link.PENDING, False, Forbid),
        (Link.NONE, True, Permit),
        (Link.OWNER, False, Permit),
        (Link.RELATED, False, Permit),
    ],
)
def test_without_a_case_it_asks_for_a_word_of_why(
    link: Link,
    reason_given: bool,  # noqa: FBT001 - a row of the table
    expected: type,
) -> None:
    engine = Engine(load_bundle({name: text.encode() for name, text in stricter().items()}))
    decision = engine.decide(make_facts(link=link, reason_given=reason_given))
    assert isinstance(decision, expected)


async def test_it_is_proposed_and_tried_through_the_api() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append((request.url.path, request.headers["authorization"]))
        if request.url.path == "/v1/policies":
            assert FILE in json.loads(request.content)["files"]
            return httpx2.Response(200, json={"id": "pol-1"})
        return httpx2.Response(200, json={"sentence": "it would have stopped 3 of 4"})

    transport = httpx2.MockTransport(answer)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert await rehearse(client, "t") == "it would have stopped 3 of 4"
    assert asked == [
        ("/v1/policies", "Bearer t"),
        ("/v1/policies/pol-1/backtest", "Bearer t"),
    ]
