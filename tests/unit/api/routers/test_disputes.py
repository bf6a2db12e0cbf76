import pytest
from starlette.testclient import TestClient

from tests.unit.api.fakes import World

PATH = "/v1/customers/ref-1/disputes"
BODY = {"entry": "ab" * 16, "text": "nobody called me"}


def test_a_portal_disputes_a_row(world: World, client: TestClient) -> None:
    answer = client.post(PATH, json=BODY, headers=world.bearer("desk"))
    assert answer.json() == {
        "id": "d" * 32,
        "of": "ab" * 16,
        "at": "2026-09-21T14:13:20.000000Z",
    }
    client.post(PATH, json={"entry": "ab" * 16}, headers=world.bearer("desk"))
    assert world.disputes.asked == [
        ("ref-1", "ab" * 16, "nobody called me"),
        ("ref-1", "ab" * 16, ""),
    ]


@pytest.mark.parametrize("who", ["u17", "ana", "aud", "adm"])
def test_no_person_disputes_for_a_customer(world: World, client: TestClient, who: str) -> None:
    assert client.post(PATH, json=BODY, headers=world.bearer(who)).status_code == 403


def test_a_text_that_is_too_long_is_not_repeated(world: World, client: TestClient) -> None:
    answer = client.post(PATH, json=BODY | {"text": "x" * 501}, headers=world.bearer("desk"))
    assert answer.status_code == 422
    assert "xxx" not in answer.text
