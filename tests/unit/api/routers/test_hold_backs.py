import pytest
from starlette.testclient import TestClient

from tests.unit.api.fakes import World

BODY = {
    "agent": "u17",
    "since": "2026-09-01T00:00:00Z",
    "until": "2026-09-21T00:00:00Z",
    "reason": "a matter under review",
    "ends_at": "2026-10-21T00:00:00Z",
}


def test_one_is_proposed_approved_listed_and_ended(world: World, client: TestClient) -> None:
    row = client.post("/v1/hold-backs", json=BODY, headers=world.bearer("ana")).json()
    assert (row["agent"], row["customer"], row["approved_by"]) == ("u17", "", None)
    path = f"/v1/hold-backs/{row['id']}"
    approved = client.post(path + "/approvals", headers=world.bearer("adm")).json()
    assert approved["approved_by"] == "adm"
    listed = client.get("/v1/hold-backs", headers=world.bearer("aud")).json()["hold_backs"]
    assert [one["id"] for one in listed] == [row["id"]]
    ended = client.post(path + "/end", headers=world.bearer("ana")).json()
    assert ended["ended_at"] is not None


@pytest.mark.parametrize("who", ["u17", "lee", "max", "aud", "desk"])
def test_only_analysts_and_administrators_hold_back(
    world: World, client: TestClient, who: str
) -> None:
    answer = client.post("/v1/hold-backs", json=BODY, headers=world.bearer(who))
    assert answer.status_code == 403


def test_one_without_a_reason_breaks_the_schema(world: World, client: TestClient) -> None:
    answer = client.post("/v1/hold-backs", json=BODY | {"reason": ""}, headers=world.bearer("ana"))
    assert answer.status_code == 422
    assert client.post("/v1/hold-backs/x/end", headers=world.bearer("ana")).status_code == 404
