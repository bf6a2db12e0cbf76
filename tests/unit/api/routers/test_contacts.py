from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from guard.errors import SourceError
from guard.views import DeliveryState, Failed
from tests.unit.api.fakes import World, contacted, refused

ASK = {
    "customer": "ref-1",
    "channel": "mail",
    "purpose": "support_case",
    "subject": "Your order",
    "text": "It is on its way.\nBye",
}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (DeliveryState.DELIVERED, 200),
        (DeliveryState.FAILED, 200),
        (DeliveryState.UNKNOWN, 202),
    ],
)
def test_a_contact_answers_how_it_ended(
    world: World, client: TestClient, state: DeliveryState, status: int
) -> None:
    world.broker.says = contacted(state)
    answer = client.post("/v1/contacts", json=ASK, headers=world.bearer("u17"))
    assert (answer.status_code, answer.json()["state"]) == (status, state.value)


def test_each_copy_has_its_own_outcome(world: World, client: TestClient) -> None:
    copies = (contacted(), refused("unknown_customer"), Failed(error=SourceError("x")))
    world.broker.says = replace(contacted(), cc=copies)
    asked = {**ASK, "cc": ["c1", "c2", "c3"]}
    first, second, third = client.post(
        "/v1/contacts", json=asked, headers=world.bearer("u17")
    ).json()["cc"]
    assert first["state"] == "delivered"
    assert (second["customer"], second["problem"]["status"]) == ("c2", 404)
    assert third["problem"]["status"] == 503


def test_a_repeated_contact_is_sent_once(world: World, client: TestClient) -> None:
    headers = world.bearer("u17") | {"idempotency-key": "k1"}
    answers = [client.post("/v1/contacts", json=ASK, headers=headers) for _ in "ab"]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(world.broker.acts) == 1


@pytest.mark.parametrize(
    "changes", [{"subject": "a\r\nBcc: x"}, {"channel": "pigeon"}, {"text": "a\x00"}]
)
def test_what_would_be_a_header_is_refused(
    world: World, client: TestClient, changes: dict[str, str]
) -> None:
    answer = client.post("/v1/contacts", json={**ASK, **changes}, headers=world.bearer("u17"))
    assert answer.status_code == 422
    assert world.broker.acts == []
