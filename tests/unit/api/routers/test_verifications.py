from starlette.testclient import TestClient

from tests.unit.api.fakes import World, refused

ASK = {
    "customer": "ref-1",
    "field": "phone",
    "part": "last4",
    "claim": "1234",
    "purpose": "support_case",
}


def test_a_verification_answers_yes_or_no(world: World, client: TestClient) -> None:
    answer = client.post("/v1/verifications", json=ASK, headers=world.bearer("u17"))
    assert (answer.status_code, answer.json()["matches"]) == (200, True)


def test_a_part_that_is_not_verified_is_a_problem(world: World, client: TestClient) -> None:
    world.broker.says = refused("not_verifiable")
    answer = client.post("/v1/verifications", json=ASK, headers=world.bearer("u17"))
    assert (answer.status_code, answer.json()["next"]) == (403, ["check_the_field"])
