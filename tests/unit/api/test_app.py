"""The whole surface: what is open, what needs which scope, what the OpenAPI document says."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app, token_verifier
from api.identity.scopes import BY_ROLE, SUSPENDED, Scope
from api.openapi import OPEN_PATHS
from api.schemas.views import ViewOut
from api.settings import Settings
from guard.clock import wall_micros
from policies.model import Role
from tests.unit.api.fakes import TENANT, World, response

# Each guarded call and the scope it needs; None: any valid credential.
CALLS: dict[tuple[str, str], Scope | None] = {
    ("post", "/v1/views"): Scope.VIEWS_WRITE,
    ("post", "/v1/views:batch"): Scope.VIEWS_WRITE,
    ("get", "/v1/cases/mine"): Scope.VIEWS_WRITE,
    ("post", "/v1/views/{entry_id}/reveals"): Scope.REVEALS_WRITE,
    ("get", "/log/checkpoint"): Scope.LOG_VERIFY,
    ("get", "/log/tile/{tile}"): Scope.LOG_VERIFY,
    ("get", "/log/anchors/{anchor}"): Scope.LOG_VERIFY,
    ("get", "/log/writers/{writer}"): Scope.LOG_VERIFY,
    ("post", "/v1/erasures"): Scope.ERASURES_WRITE,
    ("get", "/v1/erasures"): Scope.ERASURES_READ,
    ("get", "/v1/erasures/{erasure_id}"): Scope.ERASURES_READ,
    ("post", "/v1/erasures/{erasure_id}/approvals"): Scope.ERASURES_WRITE,
    ("post", "/v1/holds"): Scope.HOLDS_WRITE,
    ("get", "/v1/holds"): Scope.HOLDS_READ,
    ("post", "/v1/holds/{hold_id}/lifts"): Scope.HOLDS_WRITE,
    ("get", "/v1/exports/raw"): Scope.EXPORTS_WRITE,
    ("get", "/v1/exports/{job}"): Scope.EXPORTS_WRITE,
    ("get", "/v1/exports/{job}/file"): Scope.EXPORTS_WRITE,
    ("post", "/v1/searches"): Scope.SEARCHES_WRITE,
    ("post", "/v1/verifications"): Scope.VERIFICATIONS_WRITE,
    ("post", "/v1/contacts"): Scope.CONTACTS_WRITE,
    ("post", "/v1/merges"): Scope.MERGES_WRITE,
    ("post", "/v1/redactions"): Scope.REDACTIONS_WRITE,
    ("get", "/v1/quota"): Scope.QUOTA_READ,
    ("put", "/v1/cases/{case_id}"): Scope.CASES_WRITE,
    ("post", "/v1/cases:batch"): Scope.CASES_WRITE,
    ("put", "/v1/work-lists/{list_id}"): Scope.WORK_LISTS_WRITE,
    ("get", "/v1/work-lists/{list_id}"): Scope.WORK_LISTS_APPROVE,
    ("put", "/v1/work-lists/{list_id}/customers"): Scope.WORK_LISTS_WRITE,
    ("post", "/v1/work-lists/{list_id}/approvals"): Scope.WORK_LISTS_APPROVE,
    ("post", "/v1/break-glass"): Scope.BREAK_GLASS_WRITE,
    ("get", "/v1/break-glass"): Scope.BREAK_GLASS_READ,
    ("get", "/v1/break-glass/{grant_id}"): Scope.BREAK_GLASS_READ,
    ("delete", "/v1/break-glass/{grant_id}"): Scope.BREAK_GLASS_WRITE,
    ("post", "/v1/break-glass/{grant_id}/review"): Scope.BREAK_GLASS_REVIEW,
    ("post", "/v1/presence/codes"): Scope.PRESENCE_WRITE,
    ("post", "/v1/presence"): Scope.PRESENCE_CLAIM,
    ("post", "/v1/customers:enrol"): Scope.CUSTOMERS_WRITE,
    ("put", "/v1/principals"): Scope.DIRECTORY_WRITE,
    ("post", "/v1/api-keys"): Scope.API_KEYS_WRITE,
    ("delete", "/v1/api-keys/{key_id}"): Scope.API_KEYS_WRITE,
    ("post", "/v1/sign-in-tickets"): None,
    ("get", "/v1/alerts"): Scope.ALERTS_READ,
    ("get", "/v1/alerts/{alert_id}"): Scope.ALERTS_READ,
    ("patch", "/v1/alerts/{alert_id}"): Scope.ALERTS_REVIEW,
    ("get", "/v1/alerts/{alert_id}/evidence"): Scope.ALERTS_READ,
    ("get", "/v1/suspensions"): Scope.ALERTS_READ,
    ("post", "/v1/suspensions"): Scope.SUSPENSIONS_WRITE,
    ("post", "/v1/suspensions/{response_id}/lift"): Scope.SUSPENSIONS_WRITE,
    ("get", "/v1/notices"): Scope.NOTICES_READ,
    ("post", "/v1/notices/{response_id}/contest"): Scope.NOTICES_CONTEST,
    ("get", "/v1/modes"): Scope.MODES_READ,
    ("put", "/v1/modes"): Scope.MODES_WRITE,
    ("post", "/v1/modes/{mode_id}/approvals"): Scope.MODES_WRITE,
    ("get", "/v1/reports/enforcement"): Scope.MODES_READ,
    ("get", "/v1/policies"): Scope.POLICIES_READ,
    ("post", "/v1/policies"): Scope.POLICIES_WRITE,
    ("get", "/v1/policies/{policy_id}"): Scope.POLICIES_READ,
    ("post", "/v1/policies/{policy_id}/approve"): Scope.POLICIES_APPROVE,
    ("post", "/v1/policies/{policy_id}/activate"): Scope.POLICIES_WRITE,
    ("post", "/v1/policies/{policy_id}/backtest"): Scope.POLICIES_READ,
    ("post", "/v1/policies/rollback"): Scope.POLICIES_WRITE,
    ("get", "/v1/access-reviews"): Scope.ACCESS_REVIEWS_READ,
    ("post", "/v1/access-reviews"): Scope.ACCESS_REVIEWS_WRITE,
    ("post", "/v1/access-reviews/{review_id}/countersign"): Scope.ACCESS_REVIEWS_WRITE,
    ("get", "/v1/log/views"): Scope.LOG_READ,
    ("get", "/v1/log/entries/{entry}"): Scope.LOG_READ,
    ("get", "/v1/log/checkpoint"): Scope.LOG_VERIFY,
    ("get", "/v1/log/proof/{entry}"): Scope.LOG_VERIFY,
    ("post", "/v1/exports"): Scope.EXPORTS_WRITE,
    ("post", "/v1/evidence"): Scope.EXPORTS_WRITE,
    ("get", "/v1/exports/{digest}/manifest"): Scope.EXPORTS_WRITE,
    ("get", "/v1/customers/{customer}/history"): Scope.HISTORY_READ,
    ("post", "/v1/customers/{customer}/disputes"): Scope.DISPUTES_WRITE,
    ("get", "/v1/me/history"): Scope.OWN_HISTORY_READ,
    ("get", "/v1/hold-backs"): Scope.HOLD_BACKS_READ,
    ("post", "/v1/hold-backs"): Scope.HOLD_BACKS_WRITE,
    ("post", "/v1/hold-backs/{hold_back}/approvals"): Scope.HOLD_BACKS_WRITE,
    ("post", "/v1/hold-backs/{hold_back}/end"): Scope.HOLD_BACKS_WRITE,
    ("put", "/v1/relations"): Scope.RELATIONS_WRITE,
    ("put", "/v1/ties"): Scope.TIES_WRITE,
    ("post", "/v1/samples"): Scope.SAMPLES_WRITE,
    # Signed, in the place of a credential.
    ("post", "/v1/webhooks/{source}"): None,
}
BODIES: dict[str, Any] = {
    "/v1/views": {"customer": "r", "purpose": "p"},
    "/v1/views:batch": {"customers": ["r"], "purpose": "p"},
    "/v1/views/{entry_id}/reveals": {"fields": ["f"], "reason": "r"},
    "/v1/searches": {"kind": "email", "value": "v", "purpose": "p"},
    "/v1/verifications": {
        "customer": "r",
        "field": "f",
        "part": "full",
        "claim": "c",
        "purpose": "p",
    },
    "/v1/contacts": {"customer": "r", "channel": "call", "purpose": "p"},
    "/v1/merges": {"keep": "r", "merge": "s", "case": "c", "reason": "r"},
    "/v1/redactions": {"customer": "r", "text": "t"},
    "/v1/cases/{case_id}": {"customer": "r", "channel": "c", "opened_at": "2026-09-21T10:00:00Z"},
    "/v1/cases:batch": {
        "cases": [{"id": "c", "customer": "r", "channel": "c", "opened_at": "2026-09-21T10:00:00Z"}]
    },
    "/v1/work-lists/{list_id}": {
        "team": "t",
        "campaign": "c",
        "starts_at": "2026-09-21T10:00:00Z",
        "ends_at": "2026-09-22T10:00:00Z",
        "customers": ["r"],
    },
    "/v1/break-glass": {
        "customer": "r",
        "reason_code": "system_outage",
        "text": "the ticket system is down",
        "minutes": 5,
    },
    "/v1/break-glass/{grant_id}/review": {"outcome": "justified", "note": "n"},
    "/v1/presence/codes": {"customer": "r"},
    "/v1/presence": {"customer": "r", "code": "012345"},
    "/v1/customers:enrol": {"customers": [{"source": "s", "source_key": "k", "region": "eu"}]},
    "/v1/principals": {"principals": [{"id": "x", "role": "agent"}]},
    "/v1/api-keys": {
        "client": "desk",
        "scopes": ["quota:read"],
        "expires_at": "2026-09-22T10:00:00Z",
    },
    "/v1/alerts/{alert_id}": {"state": "acknowledged"},
    "/v1/suspensions": {"agent": "u17", "reason": "r", "ends_at": "2026-09-22T10:00:00Z"},
    "/v1/suspensions/{response_id}/lift": {"reason": "r"},
    "/v1/notices/{response_id}/contest": {"text": "t"},
    "/v1/modes": {"mode": "observe"},
    "/v1/exports": {},
    "/v1/evidence": {"why": "w"},
    "/v1/erasures": {"customer": "r", "ground": "consent_withdrawn", "reason": "r"},
    "/v1/holds": {"scope": "customer", "ground": "legal_claims", "matter": "m", "value": "r"},
    "/v1/customers/{customer}/disputes": {"entry": "e"},
    "/v1/hold-backs": {
        "agent": "a",
        "since": "2026-09-01T00:00:00Z",
        "until": "2026-09-21T00:00:00Z",
        "reason": "r",
        "ends_at": "2026-10-21T00:00:00Z",
    },
    "/v1/relations": {"kind": "household", "customers": ["a", "b"]},
    "/v1/ties": {"principal": "x", "customer": "r", "tie": "self"},
    "/v1/samples": {
        "team": "t",
        "since": "2026-09-21T10:00:00Z",
        "until": "2026-09-22T10:00:00Z",
        "size": 1,
        "reviewers": ["q"],
    },
    "/v1/policies": {"files": {"a.cedar": "permit"}, "because": "b"},
    "/v1/policies/{policy_id}/backtest": {},
    "/v1/policies/rollback": {"because": "b"},
    "/v1/access-reviews": {"field": "f", "on": "2026-09-21T10:00:00Z", "statement": "s"},
}
# What is found by the form of its name alone.
PATHS = {
    "/log/tile/{tile}": "/log/tile/0/000",
    "/log/anchors/{anchor}": "/log/anchors/1.tsr",
    "/log/writers/{writer}": "/log/writers/" + "0" * 16,
    "/v1/exports/{job}": "/v1/exports/" + "0" * 32,
    "/v1/exports/{job}/file": "/v1/exports/" + "0" * 32 + "/file",
}
QUERIES = {
    "/v1/reports/enforcement": "?since=2026-09-21T10:00:00Z&until=2026-09-22T10:00:00Z",
    "/v1/log/views": "?customer=ref-1",
}


def call(client: TestClient, method: str, path: str, headers: dict[str, str]) -> Any:  # noqa: ANN401 - the client's own
    url = re.sub(r"\{\w+\}", "1", PATHS.get(path, path)) + QUERIES.get(path, "")
    body = None if method == "get" else BODIES.get(path)
    return client.request(method, url, json=body, headers=headers)


def operations(client: TestClient) -> dict[tuple[str, str], dict[str, Any]]:
    document = client.get("/openapi.json").json()
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_call_is_known_and_guarded(client: TestClient) -> None:
    guarded = {key for key in operations(client) if key[1] not in OPEN_PATHS}
    assert guarded == set(CALLS)


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda v: v)
def test_nothing_is_answered_without_a_credential(
    client: TestClient, method: str, path: str
) -> None:
    answer = call(client, method, path, {})
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "scope"), [(*k, s) for k, s in CALLS.items() if s], ids=str
)
def test_a_credential_without_the_scope_is_refused_in_every_role(
    world: World, client: TestClient, method: str, path: str, scope: Scope
) -> None:
    others = tuple(s.value for s in Scope if s is not scope)
    for name in ("u17", "lee", "max", "ana", "aud", "adm"):
        assert call(client, method, path, world.bearer(name, *others)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "scope"), [(*k, s) for k, s in CALLS.items() if s], ids=str
)
def test_a_role_opens_exactly_the_calls_of_its_scopes(
    world: World, client: TestClient, method: str, path: str, scope: Scope
) -> None:
    people = {"u17": Role.AGENT, "lee": Role.LEAD, "max": Role.MANAGER, "ana": Role.ANALYST,
              "aud": Role.AUDITOR, "adm": Role.ADMIN}  # fmt: skip
    for name, role in people.items():
        answer = call(client, method, path, world.bearer(name))
        assert (answer.status_code == 403) == (scope not in BY_ROLE[role]), (name, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "scope"), [(*k, s) for k, s in CALLS.items() if s], ids=str
)
def test_a_suspension_closes_every_call_that_is_not_about_oneself(
    world: World, client: TestClient, method: str, path: str, scope: Scope
) -> None:
    for name in ("lee", "ana", "aud", "adm"):
        world.memory.held.append(response(name))
        answer = call(client, method, path, world.bearer(name))
        assert (answer.status_code == 403) == (
            scope not in SUSPENDED or scope not in BY_ROLE[world.memory.people[TENANT, name].role]
        ), (name, answer.text)


def test_the_served_view_is_the_documented_one(world: World, client: TestClient) -> None:
    answer = call(client, "post", "/v1/views", world.bearer("u17"))
    body = answer.json()
    described = ViewOut.model_validate(
        body | {"quota": [b | {"resets_at": 0} for b in body["quota"]]}
    ).model_dump(mode="json", by_alias=True)
    assert set(described) == set(body)
    assert set(described["fields"][0]) == set(body["fields"][0])
    assert set(described["quota"][0]) == set(body["quota"][0])
    assert described["receipt"] == body["receipt"]


def test_two_applications_of_a_process_share_routes_and_no_service(tmp_path: Path) -> None:
    first, second = (World(tmp_path / name) for name in ("first", "second"))
    apps = [create_app(world, wall=world.clock.now) for world in (first, second)]
    for app, world in zip(apps, (first, second), strict=True):
        assert call(TestClient(app), "post", "/v1/views", world.bearer("u17")).is_success
    assert len(first.broker.asked) == len(second.broker.asked) == 1


def test_tokens_need_an_issuer(tmp_path: Path) -> None:
    assert token_verifier(Settings(data_dir=tmp_path), wall_micros) is None
    url = Settings(data_dir=tmp_path, jwks_url="https://idp.example/keys")
    assert token_verifier(url, wall_micros) is not None
    assert token_verifier(Settings(data_dir=tmp_path, demo=True), wall_micros) is not None


def test_without_an_issuer_only_keys_open(world: World) -> None:
    world.settings = Settings(data_dir=world.data_dir)
    with TestClient(create_app(world)) as client:
        answer = client.get("/v1/quota", headers=world.bearer("u17"))
    assert answer.status_code == 401
