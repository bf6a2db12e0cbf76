import pytest
from starlette.testclient import TestClient

from tests.unit.api.fakes import NOW, World, response

PATH = "/v1/customers/ref-1/history"


def test_a_portal_reads_page_by_page_and_keeps_the_document(
    world: World, client: TestClient
) -> None:
    first = client.get(PATH + "?limit=2", headers=world.bearer("desk")).json()
    assert [int(row["entry"], 16) for row in first["rows"]] == [3, 2]
    assert first["document"].startswith("recordguard-history/v1\n")
    path = f"{PATH}?limit=2&cursor={first['next']}"
    second = client.get(path, headers=world.bearer("desk")).json()
    assert [int(row["entry"], 16) for row in second["rows"]] == [1]
    assert second["next"] is None
    assert world.histories.asked == [("ref-1", None, 2), ("ref-1", 2, 2)]


def test_a_cursor_is_good_for_its_customer_only(world: World, client: TestClient) -> None:
    first = client.get(PATH + "?limit=2", headers=world.bearer("desk")).json()
    path = f"/v1/customers/ref-2/history?cursor={first['next']}"
    assert client.get(path, headers=world.bearer("desk")).status_code == 400


@pytest.mark.parametrize("who", ["u17", "lee", "ana", "aud", "adm"])
def test_no_person_reads_a_customers_history(world: World, client: TestClient, who: str) -> None:
    answer = client.get(PATH, headers=world.bearer(who))
    assert answer.status_code == 403
    assert "history:read" in answer.json()["detail"]


def test_an_unknown_customer_is_not_found(world: World, client: TestClient) -> None:
    answer = client.get("/v1/customers/ref-9/history", headers=world.bearer("desk"))
    assert answer.status_code == 404


@pytest.mark.parametrize("who", ["u17", "lee", "max", "ana", "aud", "adm", "desk"])
def test_everybody_reads_what_is_logged_about_themselves(
    world: World, client: TestClient, who: str
) -> None:
    world.memory.held.append(response(who))
    shown = client.get("/v1/me/history", headers=world.bearer(who)).json()
    assert shown["activity"][0] == {
        "day": "2026-09-21T14:13:20.000000Z",
        "act": "view",
        "purpose": "support_case",
        "link": "owner",
        "outcome": "permitted",
        "count": 31,
    }
    assert shown["look_ups"] == [{"at": "2026-09-21T14:13:20.000000Z", "role": "an auditor"}]
    assert shown["retention"] == "kept for thirteen months"
    assert shown["document"] == f"{who} 1 kept for thirteen months\n"
    assert "by" not in shown["responses"][0]
    assert world.own_histories.asked == [(who, None, None)]


def test_a_stretch_of_time_can_be_named(world: World, client: TestClient) -> None:
    path = "/v1/me/history?since=2026-09-21T14:13:20Z&until=2026-09-21T14:13:20Z"
    assert client.get(path, headers=world.bearer("u17")).status_code == 200
    assert world.own_histories.asked == [("u17", NOW, NOW)]


def test_an_ai_agent_does_not_read_it_for_its_person(world: World, client: TestClient) -> None:
    answer = client.get("/v1/me/history", headers=world.bearer("u17", client="bot", act="bot"))
    assert answer.status_code == 403
