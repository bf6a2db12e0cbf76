from starlette.testclient import TestClient

from tests.unit.api.fakes import World

BODY = {"scope": "agent", "value": "a1", "ground": "investigation", "matter": "I-1"}


def test_a_hold_is_set_listed_and_lifted(world: World, client: TestClient) -> None:
    body = BODY | {"since": "2026-11-01T00:00:00Z"}
    answer = client.post("/v1/holds", json=body, headers=world.bearer("adm")).json()
    assert (answer["scope"], answer["value"], answer["until"]) == ("agent", "a1", None)
    assert answer["since"] == "2026-11-01T00:00:00.000000Z"
    lifted = client.post("/v1/holds/hold-1/lifts", headers=world.bearer("ana")).json()
    assert (lifted["lift_by"], lifted["lifted_by"]) == ("ana", None)
    assert client.get("/v1/holds", headers=world.bearer("aud")).json() == {"holds": [lifted]}
    assert client.post("/v1/holds/none/lifts", headers=world.bearer("ana")).status_code == 404


def test_an_auditor_reads_holds_and_sets_none(world: World, client: TestClient) -> None:
    answer = client.post("/v1/holds", json=BODY, headers=world.bearer("aud"))
    assert answer.status_code == 403
    wrong = client.post("/v1/holds", json=BODY | {"scope": "floor"}, headers=world.bearer("adm"))
    assert wrong.json()["errors"] == [{"pointer": "#/scope", "rule": "enum"}]
