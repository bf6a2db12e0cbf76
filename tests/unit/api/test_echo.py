"""Nothing that somebody sends comes back in an error or stands in a log line or a metric."""

import io
import json
import logging

import pytest
from starlette.testclient import TestClient

from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from tests.unit.api.fakes import World

CANARY = "zqxCANARY7731"
ASK = {"customer": "ref-1", "purpose": "support_case"}


def assert_nowhere(world: World, log_lines: io.StringIO, *answers: object) -> None:
    for answer in answers:
        text: str = answer.text  # type: ignore[attr-defined] # the client's own response
        assert CANARY not in text
        assert CANARY not in str(answer.headers)  # type: ignore[attr-defined] # as above
    assert CANARY not in log_lines.getvalue()
    assert CANARY.encode() not in world.metrics.expose()


def test_not_from_a_body(world: World, client: TestClient, log_lines: io.StringIO) -> None:
    bodies = [
        {"customer": CANARY},
        {CANARY: 1},
        ASK | {CANARY: CANARY},
        ASK | {"fields": [{CANARY: CANARY}]},
        ASK | {"fields": CANARY},
        ASK | {"reason": CANARY + "\0"},
        ASK | {"purpose": CANARY * 20},
        [CANARY],
        CANARY,
    ]
    answers = [client.post("/v1/views", json=body, headers=world.bearer("u17")) for body in bodies]
    assert {a.status_code for a in answers} == {422}
    raw = [f'{{"customer": "{CANARY}'.encode(), b"\xff" + CANARY.encode()]
    headers = world.bearer("u17") | {"content-type": "application/json"}
    answers += [client.post("/v1/views", content=content, headers=headers) for content in raw]
    puts = [
        client.put("/v1/principals", json={"principals": [person]}, headers=world.bearer("adm"))
        for person in (
            {"id": CANARY, "role": CANARY},
            {
                "id": "x",
                "role": "agent",
                "shift": {"tz": "UTC", "start": CANARY, "end": "9", "days": []},
            },
        )
    ]
    assert_nowhere(world, log_lines, *answers, *puts)


def test_not_from_paths_queries_and_headers(
    world: World, client: TestClient, log_lines: io.StringIO
) -> None:
    ana = world.bearer("ana")
    answers = [
        client.get(f"/{CANARY}"),
        client.get(f"/v1/{CANARY}?{CANARY}={CANARY}"),
        client.get(f"/v1/alerts/{CANARY}", headers=ana),
        client.get(f"/v1/alerts/{CANARY}%00", headers=ana),
        client.get(f"/v1/alerts?state={CANARY}", headers=ana),
        client.get(f"/v1/alerts?cursor={CANARY}", headers=ana),
        client.get(f"/v1/log/views?customer=ref-1&since={CANARY}", headers=ana),
        client.get(f"/v1/log/proof/{CANARY}", headers=ana),
        client.request(CANARY, "/v1/views"),
        client.get("/v1/quota", headers={"authorization": f"Bearer {CANARY}"}),
        client.get("/v1/quota", headers={"authorization": f"Bearer rgk_{CANARY}"}),
        client.get("/v1/quota", headers={"authorization": f"Basic {CANARY}"}),
        client.get("/v1/quota", headers=ana | {"x-asserted-agent": CANARY}),
        client.get("/v1/quota", headers=ana | {"x-asserted-agent": CANARY * 20}),
        client.get("/v1/quota", headers=ana | {"x-request-id": CANARY, "user-agent": CANARY}),
        client.get(f"/console/alerts/{CANARY}"),
        client.post("/console/sign-in", data={"ticket": CANARY + "!"}),
    ]
    assert_nowhere(world, log_lines, *answers)


@pytest.mark.parametrize(
    "kind",
    [AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError, ValueError, KeyError],
)
def test_not_through_a_services_error(
    world: World, client: TestClient, log_lines: io.StringIO, kind: type[Exception]
) -> None:
    world.broker.answer = kind(f"no such thing `{CANARY}`")
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code >= 400
    assert_nowhere(world, log_lines, answer)


def test_an_unexpected_error_is_logged_as_its_class_and_place(
    world: World, client: TestClient, log_lines: io.StringIO
) -> None:
    world.broker.answer = ZeroDivisionError(CANARY)
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 500
    assert set(answer.json()) == {"type", "title", "status", "instance", "detail"}
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    failed = next(line for line in lines if line["event"] == "http.unhandled")
    assert failed["error"] == "ZeroDivisionError"
    assert failed["place"].startswith("api.routers.views:")
    assert_nowhere(world, log_lines, answer)


def test_the_one_line_of_a_request_names_the_template(
    world: World, client: TestClient, log_lines: io.StringIO
) -> None:
    answer = client.post("/v1/views", json=ASK, headers=world.bearer("u17"))
    client.get("/v1/alerts/alr-1?x=y", headers=world.bearer("ana"))
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    first, second = (line for line in lines if line["event"] == "http.request")
    assert first["route"] == "/v1/views"
    assert (first["status"], first["outcome"], first["entry"]) == (200, "permitted", 41)
    assert first["request_id"] == answer.headers["x-request-id"]
    assert second["route"] == "/v1/alerts/{alert_id}"
    assert set(first) == {
        "at", "entry", "event", "level", "method", "ms", "outcome", "request_id", "route", "status",
    }  # fmt: skip


def test_other_libraries_lines_are_reduced_to_where_they_come_from(log_lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("failed for %s", CANARY)
    logging.getLogger("some.library").warning(f"failed for {CANARY}")  # noqa: G004 - the danger itself
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s", CANARY)
    logging.getLogger("uvicorn.access").info("GET /%s", CANARY)
    error = ValueError(CANARY)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)
    text = log_lines.getvalue()
    assert CANARY not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["library.log"] * 4
    assert lines[2]["name"] == "Uvicorn running on %s"
    assert lines[3]["error"] == "ValueError"
