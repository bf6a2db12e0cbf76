import pytest
from starlette.testclient import TestClient

from api.schemas.policies import MAX_TEXT
from tests.unit.api.fakes import World

BODY = {"files": {"admit.cedar": "permit...", "fields.toml": ""}, "because": "fewer fields"}


def test_a_policy_is_proposed_read_approved_and_activated(world: World, client: TestClient) -> None:
    proposed = client.post("/v1/policies", json=BODY, headers=world.bearer("ana"))
    assert (proposed.json()["id"], proposed.json()["state"]) == ("pol-1", "proposed")
    read = client.get("/v1/policies/pol-1", headers=world.bearer("adm")).json()
    assert read["files"] == BODY["files"]
    assert read["policy"]["because"] == "fewer fields"
    approved = client.post("/v1/policies/pol-1/approve", headers=world.bearer("adm"))
    assert approved.json()["approved_by"] == "adm"
    again = client.post("/v1/policies/pol-1/approve", headers=world.bearer("adm"))
    assert again.status_code == 409
    active = client.post("/v1/policies/pol-1/activate", headers=world.bearer("ana"))
    assert active.json()["state"] == "active"
    listed = client.get("/v1/policies", headers=world.bearer("aud")).json()["policies"]
    assert [row["id"] for row in listed] == ["pol-1"]


def test_a_rollback_says_that_its_review_is_due(world: World, client: TestClient) -> None:
    answer = client.post(
        "/v1/policies/rollback", json={"because": "desks stand still"}, headers=world.bearer("adm")
    )
    assert (answer.json()["rolled_back_from"], answer.json()["review_due"]) == ("pol-1", True)


def test_a_backtest_opens_with_one_sentence(world: World, client: TestClient) -> None:
    asked = {"since": "2026-09-21T10:00:00Z"}
    answer = client.post(
        "/v1/policies/pol-1/backtest", json=asked, headers=world.bearer("aud")
    ).json()
    assert answer["sentence"] == (
        "this bundle would have stopped 14 of the 14 views behind confirmed alerts "
        "(0 customers seen instead of 12) and refused 0 of 400 honest ones (0.00 %)"
    )
    assert answer["teams"][0]["is_ready"]
    client.post("/v1/policies/pol-1/backtest", json={}, headers=world.bearer("aud"))
    assert world.backtests.asked[0][1] > world.backtests.asked[1][1] == 0


def test_agents_have_nothing_to_do_with_policies(world: World, client: TestClient) -> None:
    for path in ("/v1/policies", "/v1/policies/pol-1"):
        assert client.get(path, headers=world.bearer("u17")).status_code == 403
    assert client.post("/v1/policies", json=BODY, headers=world.bearer("aud")).status_code == 403


@pytest.mark.parametrize(
    "files",
    [{}, [], {"../../etc/passwd": ""}, {"passwd.cedar": 7}, {"passwd.cedar": "x" * (MAX_TEXT + 1)}],
)
def test_what_is_no_file_of_a_bundle_is_refused_and_not_repeated(
    world: World, client: TestClient, files: object
) -> None:
    body = {"files": files, "because": "x"}
    answer = client.post("/v1/policies", json=body, headers=world.bearer("ana"))
    assert answer.status_code == 422
    assert "passwd" not in answer.text


def test_a_large_bundle_fits_and_a_huge_one_does_not(world: World, client: TestClient) -> None:
    text = "// " + "long " * 40_000
    large = {"files": {"a.cedar": text}, "because": "x"}
    assert client.post("/v1/policies", json=large, headers=world.bearer("ana")).is_success
    huge = {"files": {f"{n}.cedar": text for n in range(6)}, "because": "x"}
    assert client.post("/v1/policies", json=huge, headers=world.bearer("ana")).status_code == 413
