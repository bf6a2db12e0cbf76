from starlette.testclient import TestClient

from tests.unit.api.fakes import World


def test_a_mode_is_proposed_listed_and_approved(world: World, client: TestClient) -> None:
    answer = client.put(
        "/v1/modes", json={"team": "team-a", "mode": "mask"}, headers=world.bearer("adm")
    )
    assert (answer.json()["mode"], answer.json()["approved_by"]) == ("mask", None)
    listed = client.get("/v1/modes", headers=world.bearer("aud")).json()["modes"]
    assert [m["id"] for m in listed] == ["mode-1"]
    answer = client.post("/v1/modes/mode-1/approvals", headers=world.bearer("ana"))
    assert answer.json()["approved_by"] == "ana"


def test_the_report_counts_by_team_and_never_by_agent(world: World, client: TestClient) -> None:
    path = "/v1/reports/enforcement?since=2026-09-21T10:00:00Z&until=2026-09-22T10:00:00Z"
    rows = client.get(path, headers=world.bearer("max")).json()["rows"]
    assert rows == [{"team": "team-a", "mode": "observe", "would": "refused", "views": 3}]
    assert client.get("/v1/reports/enforcement", headers=world.bearer("max")).status_code == 422


def test_an_unknown_mode_is_refused(world: World, client: TestClient) -> None:
    answer = client.put("/v1/modes", json={"mode": "off"}, headers=world.bearer("adm"))
    assert answer.json()["errors"] == [{"pointer": "#/mode", "rule": "enum"}]
