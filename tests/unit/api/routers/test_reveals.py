from starlette.testclient import TestClient

from guard.views import RevealRequest
from tests.unit.api.fakes import World, refused

ASK = {"fields": ["email"], "reason": "to spell it"}
PATH = "/v1/views/e1/reveals"


def test_a_reveal_answers_with_the_values_what_stays_covered_and_its_end(
    world: World, client: TestClient
) -> None:
    answer = client.post(PATH, json=ASK, headers=world.bearer("u17"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["expires_in_s"] == 30
    assert body["expires_at"].endswith("Z")
    assert body["refused"][0]["path"] == "iban"
    assert answer.headers["cache-control"] == "no-store"
    assert world.broker.acts == [RevealRequest(view="e1", fields=("email",), reason="to spell it")]


def test_an_unknown_view_is_a_problem_that_says_what_to_do(
    world: World, client: TestClient
) -> None:
    world.broker.says = refused("unknown_view")
    answer = client.post(PATH, json=ASK, headers=world.bearer("u17"))
    assert (answer.status_code, answer.json()["next"]) == (404, ["view_again"])


def test_a_reveal_needs_a_reason_and_few_fields(world: World, client: TestClient) -> None:
    for body in ({"fields": ["email"]}, {**ASK, "fields": list("abcdef")}, {**ASK, "fields": []}):
        assert client.post(PATH, json=body, headers=world.bearer("u17")).status_code == 422
