from starlette.testclient import TestClient

from guard.rows import AlertState
from tests.unit.api.fakes import World, alert


def test_alerts_come_in_pages_that_a_cursor_links(world: World, client: TestClient) -> None:
    world.alerts.rows = {f"alr-{n}": alert(f"alr-{n}") for n in range(5)}
    seen: list[str] = []
    cursor = ""
    while True:
        answer = client.get(f"/v1/alerts?limit=2{cursor}", headers=world.bearer("ana")).json()
        seen += [a["id"] for a in answer["alerts"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert seen == ["alr-4", "alr-3", "alr-2", "alr-1", "alr-0"]


def test_a_cursor_is_its_askers_own(world: World, client: TestClient) -> None:
    answer = client.get("/v1/alerts?limit=1", headers=world.bearer("ana")).json()
    path = f"/v1/alerts?cursor={answer['next']}"
    assert client.get(path, headers=world.bearer("ana")).status_code == 200
    for path_, name in ((path, "aud"), (path + "&state=open", "ana")):
        refused = client.get(path_, headers=world.bearer(name))
        assert refused.status_code == 400
        assert refused.json()["type"].endswith("/invalid-cursor")


def test_names_are_hidden_until_the_alert_is_confirmed(world: World, client: TestClient) -> None:
    ana = world.bearer("ana")
    texts = [
        client.get(path, headers=ana).text
        for path in ("/v1/alerts", "/v1/alerts/alr-1", "/v1/alerts/alr-1/evidence")
    ]
    assert all("u17" not in text and "somebody-else" not in text for text in texts)
    body = client.get("/v1/alerts/alr-1", headers=ana).json()
    assert body["agents"] == ["Heron-31"]
    assert body["reasons"] == ["14 of 61 customers that Heron-31 viewed had no open case"]
    client.patch("/v1/alerts/alr-1", json={"state": "confirmed", "note": "n"}, headers=ana)
    body = client.get("/v1/alerts/alr-1", headers=ana).json()
    assert (body["agents"], body["names_shown"]) == (["u17"], True)
    evidence = client.get("/v1/alerts/alr-1/evidence", headers=ana).json()["entries"]
    assert [e["agent"] for e in evidence] == ["u17", "—"]
    assert [e["index"] for e in evidence] == [7, 9]


def test_a_review_changes_what_it_names(world: World, client: TestClient) -> None:
    answer = client.patch(
        "/v1/alerts/alr-1",
        json={"state": "dismissed", "label": "honest", "note": "a list"},
        headers=world.bearer("ana"),
    )
    assert (answer.json()["state"], answer.json()["label"]) == ("dismissed", "honest")
    assert world.alerts.rows["alr-1"].state is AlertState.DISMISSED
    again = client.patch(
        "/v1/alerts/alr-1", json={"label": "malicious"}, headers=world.bearer("ana")
    )
    assert again.status_code == 409


def test_an_alert_is_not_opened_by_hand(world: World, client: TestClient) -> None:
    answer = client.patch("/v1/alerts/alr-1", json={"state": "open"}, headers=world.bearer("ana"))
    assert answer.status_code == 422
