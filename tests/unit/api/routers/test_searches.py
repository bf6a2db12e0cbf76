from starlette.testclient import TestClient

from tests.unit.api.fakes import World, refused

ASK = {"kind": "email", "value": "a@example.com", "purpose": "support_case"}


def test_a_search_answers_with_one_reference(world: World, client: TestClient) -> None:
    answer = client.post("/v1/searches", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["customer"], body["narrow"], body["receipt"]["index"]) == ("ref-1", False, 43)


def test_a_refused_search_repeats_nothing_of_what_was_sent(
    world: World, client: TestClient
) -> None:
    world.broker.says = refused("policy")
    answer = client.post("/v1/searches", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 403
    assert "a@example.com" not in answer.text
    assert answer.json()["next"]


def test_a_search_needs_its_scope(world: World, client: TestClient) -> None:
    answer = client.post("/v1/searches", json=ASK, headers=world.bearer("u17", "views:write"))
    assert answer.status_code == 403
