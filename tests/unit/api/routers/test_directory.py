import pytest
from starlette.testclient import TestClient

from api.identity.credentials import ApiKeyPut
from guard.principals import Shift
from tests.unit.api.fakes import TENANT, World


def test_people_are_put_into_the_callers_own_tenant(world: World, client: TestClient) -> None:
    person = {
        "id": "n-1",
        "role": "agent",
        "team": "team-b",
        "line": ["lee", "max"],
        "shift": {"tz": "Europe/Riga", "start": "22:00", "end": "06:30", "days": [1, 2]},
    }
    answer = client.put(
        "/v1/principals", json={"principals": [person]}, headers=world.bearer("adm")
    )
    assert answer.json() == {"changed": 1}
    row = world.memory.people[TENANT, "n-1"]
    assert (row.team, row.line, row.is_active) == ("team-b", ("lee", "max"), True)
    assert row.shift == Shift(tz="Europe/Riga", start=1320, end=390, days=frozenset({1, 2}))


@pytest.mark.parametrize(
    "shift",
    [
        {"tz": "UTC", "start": "24:00", "end": "06:00", "days": [1]},
        {"tz": "UTC", "start": "9:00", "end": "06:00", "days": [1]},
        {"tz": "UTC", "start": "09:00", "end": "06:00", "days": [0]},
        {"tz": "UTC", "start": "09:00", "end": "06:00", "days": []},
    ],
)
def test_a_shift_that_cannot_be_is_refused(
    world: World, client: TestClient, shift: dict[str, object]
) -> None:
    person = {"id": "n-1", "role": "agent", "shift": shift}
    answer = client.put(
        "/v1/principals", json={"principals": [person]}, headers=world.bearer("adm")
    )
    assert answer.status_code == 422


def test_whoever_is_set_inactive_is_out_with_the_next_request(
    world: World, client: TestClient
) -> None:
    headers = world.bearer("u17")
    assert client.get("/v1/quota", headers=headers).status_code == 200
    gone = {"id": "u17", "role": "agent", "active": False}
    client.put("/v1/principals", json={"principals": [gone]}, headers=world.bearer("adm"))
    assert client.get("/v1/quota", headers=headers).status_code == 403


def test_a_persons_own_token_becomes_a_console_session(world: World, client: TestClient) -> None:
    answer = client.post("/v1/sign-in-tickets", headers=world.bearer("ana"))
    assert answer.status_code == 201
    assert answer.json()["expires_in_s"] == 300
    entered = client.post(
        "/console/sign-in",
        data={"ticket": answer.json()["ticket"]},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert entered.status_code == 200
    assert "Alerts" in entered.text


@pytest.mark.anyio
async def test_tools_and_ai_agents_get_no_ticket(world: World, client: TestClient) -> None:
    answer = client.post("/v1/sign-in-tickets", headers=world.bearer("u17", act="bot"))
    assert answer.status_code == 403
    put = ApiKeyPut(tenant=TENANT, client="desk", scopes=("quota:read",), may_assert=True)
    _, text = await world.credentials.create_api_key(put)
    headers = {"authorization": f"Bearer {text}", "x-asserted-agent": "ana"}
    assert client.post("/v1/sign-in-tickets", headers=headers).status_code == 403
