from starlette.testclient import TestClient

from guard.errors import SourceError
from guard.views import Failed
from tests.unit.api.fakes import World, refused

ASK = {"customers": ["c1", "c2", "c3"], "purpose": "support_case"}


def test_a_queue_has_an_outcome_for_each_in_order(world: World, client: TestClient) -> None:
    answer = client.post("/v1/views:batch", json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 200
    body = answer.json()
    first, second, third = body["customers"]
    assert [one["customer"] for one in body["customers"]] == ["c1", "c2", "c3"]
    assert first["record"]["email"] == "a*****@e*****.com"
    assert (second["problem"]["status"], third["problem"]["status"]) == (403, 503)
    assert body["quota"][0]["name"] == "distinct-hour"


def test_a_queue_of_failures_has_no_quota_to_tell(world: World, client: TestClient) -> None:
    world.broker.says = (Failed(error=SourceError("x")),)
    asked = {**ASK, "customers": ["c1"]}
    answer = client.post("/v1/views:batch", json=asked, headers=world.bearer("u17"))
    assert answer.json()["quota"] == []
    assert "ratelimit" not in answer.headers


def test_outcomes_are_counted_by_act(world: World, client: TestClient) -> None:
    world.broker.says = (refused("quota", left=0),)
    client.post("/v1/views:batch", json={**ASK, "customers": ["c1"]}, headers=world.bearer("u17"))
    counted = world.metrics.acts.labels("list", "quota")._value.get()  # noqa: SLF001 - no other way to read a counter
    assert counted == 1
