import io

import pytest
from starlette.testclient import TestClient

from guard.break_glass import GlassState, ReviewOutcome
from policies.model import ActorKind, Role
from tests.unit.api.fakes import World, person

GLASS = {
    "customer": "ref-1",
    "reason_code": "system_outage",
    "text": "the ticket system is down since noon",
    "minutes": 15,
}


def test_the_glass_is_broken_with_a_reason(world: World, client: TestClient) -> None:
    answer = client.post("/v1/break-glass", json=GLASS, headers=world.bearer("u17"))
    body = answer.json()
    assert (body["id"], body["customer"], body["kind"]) == ("glass-1", "ref-1", "break_glass")
    assert "since noon" not in answer.text
    assert world.break_glass.puts[0].text == GLASS["text"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason_code": "curious"},
        {"text": "too short"},
        {"minutes": 0},
        {"minutes": 61},
        {"minutes": "15"},
        {"customer": ""},
        {"colour": "red"},
    ],
)
def test_a_body_that_breaks_the_schema_is_refused_without_an_echo(
    world: World, client: TestClient, wrong: dict[str, object]
) -> None:
    answer = client.post("/v1/break-glass", json=GLASS | wrong, headers=world.bearer("u17"))
    assert answer.status_code == 422
    assert "noon" not in answer.text


def test_grants_are_listed_read_and_reviewed(world: World, client: TestClient) -> None:
    listed = client.get("/v1/break-glass", headers=world.bearer("aud")).json()
    assert [(g["agent"], g["overdue"], g["text"]) for g in listed["grants"]] == [
        ("agent-7f3k-9m2q", True, None)
    ]
    client.get("/v1/break-glass?state=open", headers=world.bearer("max"))
    read = client.get("/v1/break-glass/glass-1", headers=world.bearer("ana")).json()
    assert read["text"] == "the caller's house is on fire"
    body = {"outcome": "unjustified", "note": "no call is on record"}
    reviewed = client.post(
        "/v1/break-glass/glass-1/review", json=body, headers=world.bearer("max")
    ).json()
    assert reviewed["outcome"] == "unjustified"
    assert world.break_glass.asked == [
        GlassState.UNREVIEWED,
        GlassState.OPEN,
        (ReviewOutcome.UNJUSTIFIED, "no call is on record"),
    ]
    answer = client.get("/v1/break-glass?state=lost", headers=world.bearer("max"))
    assert answer.status_code == 422


def test_a_grant_is_ended_by_delete(world: World, client: TestClient) -> None:
    ended = client.delete("/v1/break-glass/glass-1", headers=world.bearer("u17")).json()
    assert ended["ends_at"] == "2026-09-21T14:13:20.000000Z"
    answer = client.delete("/v1/break-glass/zqx", headers=world.bearer("u17"))
    assert answer.status_code == 404
    assert "zqx" not in answer.text


def test_a_code_goes_to_the_app_and_comes_back_by_the_agent(
    world: World, client: TestClient, log_lines: io.StringIO
) -> None:
    world.memory.put_principal(person("app", Role.SERVICE, ActorKind.SERVICE))
    made = client.post(
        "/v1/presence/codes", json={"customer": "ref-1"}, headers=world.bearer("app")
    )
    assert made.json() == {"code": "012345", "expires_in_s": 300}
    assert made.headers["cache-control"] == "no-store"
    body = {"customer": "ref-1", "code": "012345", "case": "k-1"}
    key = {"idempotency-key": "once"}
    answer = client.post("/v1/presence", json=body, headers=world.bearer("u17") | key)
    assert answer.json()["kind"] == "customer_present"
    assert world.presence.claimed == [("ref-1", "012345", "k-1")]
    assert world.memory.replies == {}
    assert "012345" not in log_lines.getvalue()


def test_a_code_in_another_form_is_refused_without_an_echo(
    world: World, client: TestClient
) -> None:
    for code in ("12345", "12345x", "1234567", 123456):
        body = {"customer": "ref-1", "code": code}
        answer = client.post("/v1/presence", json=body, headers=world.bearer("u17"))
        assert answer.status_code == 422
        assert str(code) not in answer.text


def test_an_agent_gets_no_codes_in_any_role(world: World, client: TestClient) -> None:
    for name in ("u17", "lee", "max", "ana", "aud", "adm"):
        answer = client.post(
            "/v1/presence/codes", json={"customer": "ref-1"}, headers=world.bearer(name)
        )
        assert answer.status_code == 403


def test_an_ai_agent_breaks_no_glass_for_its_person(world: World, client: TestClient) -> None:
    headers = world.bearer("u17", act="bot", client="bot")
    assert client.post("/v1/break-glass", json=GLASS, headers=headers).status_code == 403
    body = {"customer": "ref-1", "code": "012345"}
    assert client.post("/v1/presence", json=body, headers=headers).status_code == 403
