from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api.identity.credentials import ApiKeyPut
from guard.entries import EntryKind
from tests.unit.api.fakes import TENANT, World

ENDS = "2026-09-22T10:00:00Z"


def body(**changes: object) -> dict[str, object]:
    return {"client": "desk", "scopes": ["quota:read"], "expires_at": ENDS} | changes


def test_a_key_is_shown_once_works_and_is_revoked_at_once(world: World, client: TestClient) -> None:
    admin = world.bearer("adm")
    made = client.post("/v1/api-keys", json=body(), headers=admin)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    tool = {"authorization": f"Bearer {made.json()['key']}"}
    assert client.get("/v1/quota", headers=tool).status_code == 200
    place = f"/v1/api-keys/{made.json()['id']}"
    revoked = client.delete(place, headers=admin)
    assert revoked.status_code == 200
    assert revoked.json() == {
        "id": made.json()["id"],
        "client": "desk",
        "scopes": ["quota:read"],
        "may_assert": False,
        "expires_at": "2026-09-22T10:00:00.000000Z",
        "revoked_at": revoked.json()["revoked_at"],
    }
    assert client.get("/v1/quota", headers=tool).status_code == 401
    assert client.delete(place, headers=admin).status_code == 409


def test_the_text_of_a_key_is_kept_nowhere_even_under_an_idempotency_key(
    world: World, client: TestClient
) -> None:
    headers = world.bearer("adm") | {"idempotency-key": "k1"}
    text = client.post("/v1/api-keys", json=body(), headers=headers).json()["key"]
    assert text.rsplit("_", 1)[1] not in repr(world.memory)
    assert world.memory.replies == {}


def test_who_made_and_who_revoked_a_key_are_in_the_log(world: World, client: TestClient) -> None:
    admin = world.bearer("adm")
    made = client.post("/v1/api-keys", json=body(), headers=admin).json()
    client.delete(f"/v1/api-keys/{made['id']}", headers=admin)
    events = [e.event for e in world.memory.entries if e.kind is EntryKind.CREDENTIAL]
    assert [(e.agent, e.body["what"], e.body["key"]) for e in events] == [
        ("adm", "api key made", made["id"]),
        ("adm", "api key revoked", made["id"]),
    ]


@pytest.mark.parametrize("who", ["ana", "adm", "bot"])
def test_a_key_is_for_a_tool_and_makes_nobody_somebody_else(
    world: World, client: TestClient, who: str
) -> None:
    answer = client.post(
        "/v1/api-keys", json=body(client=who, scopes=["log:read"]), headers=world.bearer("adm")
    )
    assert answer.status_code == 403
    assert world.memory.keys == {}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client": "nobody"}, 404),
        ({"scopes": []}, 422),
        ({"scopes": ["views:destroy"]}, 422),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"expires_at": None}, 422),
        ({"may_assert": True}, 422),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    world: World, client: TestClient, changes: dict[str, object], status: int
) -> None:
    answer = client.post("/v1/api-keys", json=body(**changes), headers=world.bearer("adm"))
    assert answer.status_code == status
    assert world.memory.keys == {}


@pytest.mark.anyio
async def test_a_key_of_another_tenant_is_not_found(world: World, client: TestClient) -> None:
    put = ApiKeyPut(tenant=TENANT, client="desk", scopes=("quota:read",))
    made, _ = await world.credentials.create_api_key(put)
    row = world.memory.people[TENANT, "adm"]
    world.memory.people["other", "adm"] = replace(row, tenant="other")
    stranger = world.bearer("adm", tenant="other")
    assert client.delete(f"/v1/api-keys/{made.id}", headers=stranger).status_code == 404
    assert world.memory.keys[made.id].revoked_at is None
