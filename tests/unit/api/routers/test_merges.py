import pytest
from starlette.testclient import TestClient

from guard.merges import MergeRequest
from tests.unit.api.fakes import World, refused

BODY = {"keep": "ref-1", "merge": "ref-2", "case": "k-1", "reason": "same passport"}


def test_two_references_are_merged_by_the_case_and_reason_given(
    world: World, client: TestClient
) -> None:
    answer = client.post("/v1/merges", json=BODY, headers=world.bearer("u17"))
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["keep"], shown["merge"], shown["merge_id"]) == ("ref-1", "ref-2", "m-7")
    assert shown["receipt"]["index"] == 43
    assert world.merges.asked == [
        MergeRequest(keep="ref-1", merge="ref-2", case="k-1", reason="same passport")
    ]


def test_a_repeat_under_the_same_key_merges_once(world: World, client: TestClient) -> None:
    headers = world.bearer("u17") | {"idempotency-key": "k1"}
    first, second = (client.post("/v1/merges", json=BODY, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert len(world.merges.asked) == 1


def test_a_refusal_is_a_problem_with_its_receipt(world: World, client: TestClient) -> None:
    world.merges.answer = refused("policy")
    answer = client.post("/v1/merges", json=BODY, headers=world.bearer("u17"))
    assert answer.status_code == 403
    assert answer.json()["receipt"]["index"] == 42


@pytest.mark.parametrize("who", ["aud", "ana", "desk"])
def test_who_does_no_desk_work_merges_nobody(world: World, client: TestClient, who: str) -> None:
    answer = client.post("/v1/merges", json=BODY, headers=world.bearer(who))
    assert answer.status_code == 403
    assert world.merges.asked == []


def test_a_reason_is_asked_for(world: World, client: TestClient) -> None:
    body = {name: BODY[name] for name in ("keep", "merge", "case")}
    answer = client.post("/v1/merges", json=body, headers=world.bearer("u17"))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "#/reason", "rule": "missing"}]
