from starlette.testclient import TestClient

from tests.unit.api.fakes import World

BODY = {"field": "email", "on": "2026-09-01T00:00:00Z", "statement": "looked at, as it should be"}


def test_a_review_is_signed_countersigned_and_listed(world: World, client: TestClient) -> None:
    signed = client.post("/v1/access-reviews", json=BODY, headers=world.bearer("ana")).json()
    assert (signed["signed_by"], signed["countersigned_by"]) == ("ana", None)
    path = f"/v1/access-reviews/{signed['id']}/countersign"
    agreed = client.post(path, headers=world.bearer("adm")).json()
    assert agreed["countersigned_by"] == "adm"
    listed = client.get("/v1/access-reviews", headers=world.bearer("aud")).json()
    assert [review["id"] for review in listed["reviews"]] == ["rev-1"]
    assert listed["classes"] == [
        {"field_class": "contact", "reviewed_on": None, "due_at": None, "is_overdue": True}
    ]


def test_what_is_not_there_cannot_be_countersigned(world: World, client: TestClient) -> None:
    path = "/v1/access-reviews/rev-9/countersign"
    assert client.post(path, headers=world.bearer("ana")).status_code == 404


def test_an_auditor_reads_and_does_not_sign(world: World, client: TestClient) -> None:
    answer = client.post("/v1/access-reviews", json=BODY, headers=world.bearer("aud"))
    assert answer.status_code == 403
