import json
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.testclient import TestClient

from api.problems import (
    BASE,
    FRAMEWORK,
    QUOTA_TYPE,
    REFUSALS,
    TABLE,
    RefusalError,
    blanked,
    budget_headers,
    document,
    problem_of,
)
from guard import errors
from guard.errors import GuardError, ProofError, StoreUnavailableError
from guard.views import RefusalCode
from tests.unit.api.fakes import World, refused

ASK = {"customer": "ref-1", "purpose": "support_case"}


# The framework's own needs its own words to be made; it is tested where it arises.
RAISABLE = [kind for kind in TABLE if kind is not RequestValidationError]


def guard_errors() -> list[type[GuardError]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, GuardError)
    ]


@pytest.mark.parametrize("kind", guard_errors(), ids=lambda k: k.__name__)
def test_every_guard_error_has_a_problem(kind: type[GuardError]) -> None:
    problem = problem_of(kind("text"))
    assert problem.uri.startswith(BASE)
    assert 400 <= problem.status < 600


@pytest.mark.parametrize("kind", RAISABLE, ids=lambda k: k.__name__)
@pytest.mark.anyio
async def test_every_row_is_answered_as_it_says(
    world: World, client: TestClient, kind: type[Exception]
) -> None:
    world.broker.answer = kind("the `canary` says 4111111111111111 no")
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    row = TABLE[kind]
    assert answer.status_code == row.status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == row.uri
    assert body["title"] == row.title
    assert body["status"] == row.status
    assert body["instance"] == f"urn:recordguard:request:{answer.headers['x-request-id']}"
    assert "canary" not in answer.text
    if not row.shows_text:
        assert "4111" not in answer.text
    if row.status == 503:
        assert answer.headers["retry-after"] == "1"
    if row.status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_subclass_without_a_row_is_its_parents_problem() -> None:
    assert problem_of(ProofError("x", index=3)).slug == "log-inconsistent"
    assert problem_of(ZeroDivisionError()).slug == "internal"


def test_every_refusal_of_the_broker_has_a_problem() -> None:
    assert set(REFUSALS) == {code.value for code in RefusalCode}
    body = document(RefusalError(refused("quota", left=0)), "id")
    assert body["type"] == QUOTA_TYPE
    assert body["violated-policies"] == ["distinct-hour"]


def test_types_are_unique_per_status_and_meaning() -> None:
    rows = [*TABLE.values(), *REFUSALS.values(), *FRAMEWORK.values()]
    by_uri: dict[str, set[int]] = {}
    for row in rows:
        by_uri.setdefault(row.uri, set()).add(row.status)
    assert all(len(statuses) == 1 for statuses in by_uri.values())


def test_our_own_words_stay_and_the_callers_are_blanked() -> None:
    text = "this credential lacks `views:write`, not `4111` and not `open"
    assert blanked(text) == "this credential lacks `views:write`, not … and not …"


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "no-such-path"),
        ("DELETE", "/v1/views", 405, "method-not-allowed"),
        ("GET", "/docs", 404, "no-such-path"),
    ],
)
def test_the_frameworks_own_errors_are_problems(
    client: TestClient, method: str, path: str, status: int, slug: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["type"] == BASE + slug
    if status == 405:
        assert answer.headers["allow"] == "POST"


def post(client: TestClient, world: World, content: bytes, **headers: str) -> Any:  # noqa: ANN401 - the client's own
    fixed = {"content-type": "application/json"} | world.bearer("u17") | headers
    return client.post("/v1/views", content=content, headers=fixed)


@pytest.mark.parametrize(
    ("content", "status", "slug"),
    [
        (b"{", 422, "invalid-content"),
        (b"\xff\xfe", 400, "malformed-body"),
        (json.dumps(ASK).encode("utf-16-le"), 400, "malformed-body"),
        (json.dumps(ASK).encode("utf-32-be"), 400, "malformed-body"),
        (b'{"customer": "\xff"}', 400, "malformed-body"),
        (b"[]", 422, "invalid-content"),
        (b"null", 422, "invalid-content"),
        (b"", 422, "invalid-content"),
        (b"[" * 17 + b"]" * 17, 400, "malformed-body"),
        (b'{"a":' * 20_000, 413, "content-too-large"),
        (b"[" * 60_000, 400, "malformed-body"),
        (b'{"customer": "' + b"x" * 70_000 + b'"}', 413, "content-too-large"),
        (b'{"customer": "a\\u0000b", "purpose": "support_case"}', 422, "invalid-content"),
        (b'{"customer": "\\ud800", "purpose": "support_case"}', 422, "invalid-content"),
        (b'{"customer": "r", "purpose": "p", "reason": "a\\u0007"}', 422, "invalid-content"),
        (b'{"customer": "r", "purpose": "p", "extra": 1}', 422, "invalid-content"),
        (b'{"customer": 7, "purpose": NaN}', 422, "invalid-content"),
    ],
)
def test_bodies_that_cannot_be_are_problems(
    world: World, client: TestClient, content: bytes, status: int, slug: str
) -> None:
    answer = post(client, world, content)
    assert (answer.status_code, answer.json()["type"]) == (status, BASE + slug)
    assert world.broker.asked == []


def test_brackets_inside_strings_do_not_count(world: World, client: TestClient) -> None:
    ask = json.dumps(ASK | {"reason": "[" * 50 + '\\"' + "{" * 50}).encode()
    assert post(client, world, ask).status_code == 200


def test_another_content_type_is_refused(world: World, client: TestClient) -> None:
    answer = post(client, world, json.dumps(ASK).encode(), **{"content-type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["type"] == BASE + "unsupported-media-type"


def test_a_body_without_a_length_is_bounded_too(world: World, client: TestClient) -> None:
    def pieces() -> Any:  # noqa: ANN401 - a generator of bytes
        for _ in range(100):
            yield b" " * 1000

    answer = client.post(
        "/v1/views",
        content=pieces(),
        headers={"content-type": "application/json"} | world.bearer("u17"),
    )
    assert answer.status_code == 413


def test_a_validation_error_names_place_and_rule(world: World, client: TestClient) -> None:
    content = json.dumps({"customer": "r", "fields": ["a", 7], "zzcanary": 1}).encode()
    errors_ = post(client, world, content).json()["errors"]
    assert {"pointer": "#/purpose", "rule": "missing"} in errors_
    assert {"pointer": "#/fields/1", "rule": "string_type"} in errors_
    assert {"pointer": "#", "rule": "extra_forbidden"} in errors_
    answer = client.get("/v1/alerts?limit=0", headers=world.bearer("ana"))
    assert answer.json()["errors"] == [{"parameter": "limit", "rule": "greater_than_equal"}]


def test_a_problem_is_counted(world: World, client: TestClient) -> None:
    world.broker.answer = StoreUnavailableError("x")
    client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert b'recordguard_problems_total{problem="store-unavailable"} 1.0' in world.metrics.expose()


def test_without_budgets_there_are_no_budget_headers() -> None:
    assert budget_headers([], 0) == {}
