from starlette.testclient import TestClient

from tests.unit.api.fakes import World, response

ENDS = "2026-09-22T10:00:00Z"


def test_an_agent_is_suspended_by_id_or_as_the_alert_calls_them(
    world: World, client: TestClient
) -> None:
    for who in ({"agent": "u17"}, {"alert": "alr-1", "pseudonym": "Heron-31"}):
        answer = client.post(
            "/v1/suspensions",
            json=who | {"reason": "see the alert", "ends_at": ENDS},
            headers=world.bearer("ana"),
        )
        assert answer.status_code == 200
        assert "u17" not in answer.text
    assert [r.key for r in world.memory.held] == ["agent:acme/u17"] * 2


def test_it_must_be_clear_who_is_meant(world: World, client: TestClient) -> None:
    for who, status in (
        ({}, 422),
        ({"pseudonym": "Heron-31"}, 422),
        ({"agent": "u17", "pseudonym": "Heron-31"}, 422),
        ({"alert": "alr-1", "pseudonym": "Crane-1"}, 404),
        ({"alert": "alr-9", "pseudonym": "Heron-31"}, 404),
    ):
        answer = client.post(
            "/v1/suspensions",
            json=who | {"reason": "r", "ends_at": ENDS},
            headers=world.bearer("ana"),
        )
        assert answer.status_code == status
    assert world.memory.held == []


def test_a_response_is_listed_and_lifted_with_a_reason(world: World, client: TestClient) -> None:
    world.memory.held.append(response())
    ana = world.bearer("ana")
    assert len(client.get("/v1/suspensions", headers=ana).json()["responses"]) == 1
    assert client.post("/v1/suspensions/rsp-1/lift", json={}, headers=ana).status_code == 422
    answer = client.post("/v1/suspensions/rsp-1/lift", json={"reason": "cleared"}, headers=ana)
    assert answer.json()["ended_at"] is not None
    assert client.get("/v1/suspensions", headers=ana).json()["responses"] == []


def test_one_sees_ones_own_notices_and_objects(world: World, client: TestClient) -> None:
    world.memory.held.append(response("u17"))
    notice = client.get("/v1/notices", headers=world.bearer("u17")).json()["notices"][0]
    assert notice["reason"] == "a review is under way"
    assert "by" not in notice
    assert "alert_id" not in notice
    assert client.get("/v1/notices", headers=world.bearer("lee")).json()["notices"] == []
    text = {"text": "I had a list"}
    other = client.post("/v1/notices/rsp-1/contest", json=text, headers=world.bearer("lee"))
    assert other.status_code == 404
    own = client.post("/v1/notices/rsp-1/contest", json=text, headers=world.bearer("u17"))
    assert own.json()["contested"] == "I had a list"
