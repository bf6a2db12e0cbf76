from starlette.testclient import TestClient

from guard.entries import EntryKind
from guard.errors import AccessDeniedError
from tests.unit.api.fakes import World


def test_the_manifest_of_a_file_is_found_by_its_digest(world: World, client: TestClient) -> None:
    auditor = world.bearer("aud")
    answer = client.get(f"/v1/exports/{'0' * 64}/manifest", headers=auditor)
    assert answer.text.startswith("recordguard-export/v1\n")
    assert client.get(f"/v1/exports/{'1' * 64}/manifest", headers=auditor).status_code == 404
    assert client.get("/v1/exports/high-water/manifest", headers=auditor).status_code == 422


def test_an_export_is_a_file(world: World, client: TestClient) -> None:
    answer = client.post(
        "/v1/exports",
        json={"format": "csv", "team": "team-a", "kinds": ["view"]},
        headers=world.bearer("aud"),
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="access-log.csv"'
    assert answer.content == b'{"index":1}\n{"index":2}\n'
    assert world.exports.orders[0].query.kinds == (EntryKind.VIEW,)


def test_a_refused_export_is_a_problem_and_no_file(world: World, client: TestClient) -> None:
    world.exports.failure = AccessDeniedError("an auditor may export")
    answer = client.post("/v1/exports", json={}, headers=world.bearer("aud"))
    assert answer.status_code == 403
    assert "content-disposition" not in answer.headers


def test_a_file_names_the_export_that_it_is(world: World, client: TestClient) -> None:
    aud = world.bearer("aud")
    answer = client.post("/v1/exports", json={"format": "ocsf"}, headers=aud)
    assert answer.headers["location"] == f"/v1/exports/{world.exports.job}"
    assert 'filename="access-log.ocsf.ndjson"' in answer.headers["content-disposition"]
    told = client.get(answer.headers["location"], headers=aud).json()
    assert (told["size"], told["before"], told["is_complete"]) == (10, 4, False)
    assert client.get(f"/v1/exports/{'0' * 32}", headers=aud).status_code == 404
    assert client.get("/v1/exports/high-water", headers=aud).status_code == 422


def test_what_broke_off_goes_on_at_a_boundary(world: World, client: TestClient) -> None:
    aud = world.bearer("aud")
    answer = client.get(f"/v1/exports/{world.exports.job}/file?received=15", headers=aud)
    assert answer.headers["export-offset"] == "12"
    assert answer.content == b'{"index":2}\n'


def test_a_mirror_asks_for_a_range(world: World, client: TestClient) -> None:
    answer = client.get("/v1/exports/raw?start=3&end=9", headers=world.bearer("aud"))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert world.exports.ranges == [(3, 9)]


def test_an_agent_takes_nothing_out(world: World, client: TestClient) -> None:
    agent = world.bearer("u17")
    for path in ("raw", "ab" * 16, f"{'ab' * 16}/file"):
        assert client.get(f"/v1/exports/{path}", headers=agent).status_code == 403
    assert client.post("/v1/exports", json={}, headers=agent).status_code == 403
