from starlette.testclient import TestClient

from guard.purposes.list_members import digest_of
from tests.unit.api.fakes import World

LIST = {
    "team": "team-a",
    "campaign": "renewal",
    "starts_at": "2026-09-21T10:00:00Z",
    "ends_at": "2026-09-28T10:00:00Z",
    "customers": ["ref-1", "ref-2"],
    "fields": ["full_name"],
    "pace": 30,
}


def propose(world: World, client: TestClient) -> None:
    answer = client.put("/v1/work-lists/w-1", json=LIST, headers=world.bearer("lee"))
    assert answer.status_code == 200


def upload(
    world: World, client: TestClient, body: bytes, kind: str = "text/csv"
) -> dict[str, object]:
    headers = world.bearer("lee") | {"content-type": kind}
    answer = client.put("/v1/work-lists/w-1/customers", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_a_work_list_is_proposed_and_approved_by_two_others(
    world: World, client: TestClient
) -> None:
    answer = client.put("/v1/work-lists/w-1", json=LIST, headers=world.bearer("lee"))
    body = answer.json()
    assert (body["approved_by"], body["size"], body["pace"]) == (None, 2, 30)
    assert body["fields"] == ["full_name"]
    again = client.put("/v1/work-lists/w-1", json=LIST, headers=world.bearer("lee"))
    assert again.status_code == 409
    read = {"digest": digest_of(())}
    path = "/v1/work-lists/w-1/approvals"
    for unread in ({}, {"digest": None}, {"digest": "00"}):
        assert client.post(path, json=unread, headers=world.bearer("max")).status_code == 422
    first = client.post(path, json=read, headers=world.bearer("max"))
    assert (first.json()["first_approved_by"], first.json()["approved_by"]) == ("max", None)
    second = client.post(path, json=read, headers=world.bearer("adm"))
    assert second.json()["approved_by"] == "adm"
    assert second.json()["digest"] == digest_of(())
    path = "/v1/work-lists/zqx/approvals"
    answer = client.post(path, json=read, headers=world.bearer("max"))
    assert answer.status_code == 404
    assert "zqx" not in answer.text


def test_an_approval_of_another_list_is_a_conflict(world: World, client: TestClient) -> None:
    propose(world, client)
    body = {"digest": "0" * 64}
    answer = client.post("/v1/work-lists/w-1/approvals", json=body, headers=world.bearer("max"))
    assert answer.status_code == 409


def test_a_list_shows_its_digest_to_who_approves_it(world: World, client: TestClient) -> None:
    propose(world, client)
    answer = client.get("/v1/work-lists/w-1", headers=world.bearer("max"))
    assert answer.json()["digest"] == digest_of(())
    assert "customers" not in answer.json()


def test_csv_and_ndjson_are_uploaded(world: World, client: TestClient) -> None:
    propose(world, client)
    body = upload(world, client, b"customer\nc1\nc2,x\nc3\n", "text/csv; charset=utf-8")
    assert (body["rows"], body["rejected"]) == (3, 1)
    assert body["faults"] == [{"line": 3, "rule": "unreadable"}]
    ndjson = b'{"customer":"c1"}\n{"source":"crm","source_key":"7"}\n'
    assert upload(world, client, ndjson, "application/x-ndjson")["rows"] == 2


def test_a_wrong_header_is_refused_with_the_columns_and_without_its_words(
    world: World, client: TestClient
) -> None:
    propose(world, client)
    headers = world.bearer("lee") | {"content-type": "text/csv"}
    answer = client.put(
        "/v1/work-lists/w-1/customers", content=b"maria@example.com\n", headers=headers
    )
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "the first line must name the columns: `customer`, or `source` and `source_key`"
    )
    assert "maria" not in answer.text


def test_other_media_types_are_refused(world: World, client: TestClient) -> None:
    propose(world, client)
    for kind in ("application/json", "text/plain", ""):
        headers = world.bearer("lee") | {"content-type": kind}
        answer = client.put("/v1/work-lists/w-1/customers", content=b"x", headers=headers)
        assert answer.status_code == 415


def test_an_upload_is_larger_than_an_ordinary_body_and_still_bounded(
    world: World, client: TestClient
) -> None:
    propose(world, client)
    large = b"customer\n" + b"c12345678901234567890\n" * 20_000
    assert len(large) > world.settings.max_body_bytes
    assert upload(world, client, large)["rows"] == 20_000
    headers = world.bearer("lee") | {"content-type": "text/csv"}
    whole = b"x" * (1 << 20)
    pieces = (whole for _ in range(40))
    answer = client.put("/v1/work-lists/w-1/customers", content=pieces, headers=headers)
    assert answer.status_code == 413


def test_the_document_says_what_an_upload_is(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    upload = document["paths"]["/v1/work-lists/{list_id}/customers"]["put"]
    assert set(upload["requestBody"]["content"]) == {"text/csv", "application/x-ndjson"}
    assert {"400", "413", "415"} <= set(upload["responses"])
