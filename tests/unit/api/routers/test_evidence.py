from starlette.testclient import TestClient

from guard.errors import ConflictError, StoreUnavailableError
from guard.evidence.selecting import Question
from tests.unit.api.fakes import World


def test_evidence_is_a_zip_file(world: World, client: TestClient) -> None:
    asked = {"why": "matter 12", "agent": "u17", "since": "1970-01-01T00:00:01Z"}
    answer = client.post("/v1/evidence", json=asked, headers=world.bearer("aud"))
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="evidence.zip"'
    assert answer.content == b"PK..."
    assert world.evidence.asked == [Question(purpose="matter 12", agent="u17", since=1_000_000)]


def test_what_is_refused_at_the_first_piece_is_a_problem_and_no_file(
    world: World, client: TestClient
) -> None:
    aud = world.bearer("aud")
    world.evidence.failure = ConflictError("this customer was forgotten")
    assert client.post("/v1/evidence", json={"why": "w"}, headers=aud).status_code == 409
    world.evidence.failure = None
    world.evidence.failure_at_first = StoreUnavailableError("the store is stopped")
    answer = client.post("/v1/evidence", json={"why": "w"}, headers=aud)
    assert answer.status_code == 503
    assert "content-disposition" not in answer.headers


def test_evidence_needs_a_reason_and_a_role(world: World, client: TestClient) -> None:
    aud = world.bearer("aud")
    for body in ({}, {"why": ""}, {"why": "x" * 501}, {"why": "w", "start": -1}):
        assert client.post("/v1/evidence", json=body, headers=aud).status_code == 422
    for who in ("u17", "ana"):
        answer = client.post("/v1/evidence", json={"why": "w"}, headers=world.bearer(who))
        assert answer.status_code == 403
    assert world.evidence.asked == []
