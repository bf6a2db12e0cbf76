import inspect
import json
from dataclasses import replace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from api.routers.views import view
from guard.errors import KeyUnavailableError, SourceError, StoreUnavailableError, UnavailableError
from guard.rows import RawRecord
from policies.model import ActorKind
from tests.unit.api.fakes import World, refused, served

ASK = {"customer": "ref-1", "purpose": "support_case", "case": "case-1"}


def test_a_view_answers_with_the_record_its_reasons_and_a_receipt(
    world: World, client: TestClient
) -> None:
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["record"] == {"email": "a*****@e*****.com", "nested": {"city": "[hidden]"}}
    assert body["fields"][0] == {
        "path": "email",
        "class": "contact",
        "form": "mask",
        "why": "masked for support",
        "next": [],
        "verify": [],
        "contact": None,
        "synthetic": False,
    }
    assert body["receipt"]["index"] == 41
    assert body["view_code"] == "7K-QM"
    assert body["quota"][0]["resets_at"].endswith("Z")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["ratelimit"] == '"distinct-hour";r=12;t=1800'
    assert answer.headers["ratelimit-policy"] == '"distinct-hour";q=60;w=3600'


def test_the_broker_gets_the_words_of_the_request(world: World, client: TestClient) -> None:
    client.post(
        "/v1/views",
        json={**ASK, "fields": ["email"], "reason": "asked for it", "device": "d1"},
        headers=world.bearer("u17"),
    )
    principal, request = world.broker.asked[0]
    assert principal.id == "u17"
    assert (request.customer, request.case, request.fields) == ("ref-1", "case-1", ("email",))
    assert (request.reason, request.device) == ("asked for it", "d1")


@pytest.mark.parametrize(
    ("code", "status", "last"),
    [
        ("policy", 403, "view-refused"),
        ("explained_only", 403, "explained-only"),
        ("suspended", 403, "suspended"),
        ("unknown_customer", 404, "unknown-customer"),
        ("quota", 429, "http-problem-types#quota-exceeded"),
    ],
)
def test_a_refusal_is_a_problem_with_the_receipt_of_its_entry(
    world: World, client: TestClient, code: str, status: int, last: str
) -> None:
    world.broker.answer = refused(code, left=0 if code == "quota" else 12)
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"].endswith("/" + last)
    assert body["receipt"]["index"] == 42
    assert body["reasons"] == ["no open case links you to this customer"]
    assert "record" not in body


def test_a_spent_budget_is_named_and_says_when_to_come_back(
    world: World, client: TestClient
) -> None:
    world.broker.answer = refused("quota", left=0)
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.json()["violated-policies"] == ["distinct-hour"]
    assert answer.headers["retry-after"] == "1800"
    assert answer.headers["ratelimit"] == '"distinct-hour";r=0;t=1800'


@pytest.mark.parametrize(
    "error",
    [StoreUnavailableError("x"), SourceError("x"), KeyUnavailableError("x"), UnavailableError("x")],
)
def test_what_is_unavailable_shows_nothing_and_says_when_to_try_again(
    world: World, client: TestClient, error: Exception
) -> None:
    world.broker.answer = error
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "record" not in answer.json()


def test_an_ai_agent_asks_for_its_person_with_both_names(world: World, client: TestClient) -> None:
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17", act="bot"))
    assert answer.status_code == 200
    principal, _ = world.broker.asked[0]
    assert (principal.id, principal.actor, principal.kind) == ("u17", "bot", ActorKind.AI)
    assert "alerts:read" not in principal.scopes


def test_only_a_masked_record_has_a_wire_form(world: World, client: TestClient) -> None:

    raw = cast("Any", RawRecord({"email": "canary-value@example.com"}))
    world.broker.answer = replace(served(), record=raw)
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 500
    assert "canary" not in answer.text


def test_own_quota_is_listed(world: World, client: TestClient) -> None:
    body = client.get("/v1/quota", headers=world.bearer("u17")).json()
    assert [b["name"] for b in body["quota"]] == ["distinct-hour"]
    assert json.dumps(body)


def test_the_route_hands_over_all_that_its_documented_signature_asks_for(
    client: TestClient,
) -> None:
    assert list(inspect.signature(view).parameters) == ["request", "body", "services", "principal"]
    operation = client.get("/openapi.json").json()["paths"]["/v1/views"]["post"]
    content = operation["requestBody"]["content"]
    assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/ViewBody"}}}
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {"Idempotency-Key", "X-Asserted-Agent"}
