import io

from starlette.testclient import TestClient

from guard.errors import NotFoundError
from tests.unit.api.fakes import World

CASE = {
    "source": "crm",
    "source_key": "10001",
    "channel": "call",
    "opened_at": "2026-09-21T10:00:00Z",
    "assignments": [{"agent": "u17", "how": "inbound", "from": "2026-09-21T10:00:00.5+02:00"}],
}


def test_a_case_is_put_and_its_customer_gets_a_reference(world: World, client: TestClient) -> None:
    answer = client.put("/v1/cases/c-1", json=CASE, headers=world.bearer("adm"))
    assert answer.json() == {
        "id": "c-1",
        "customer": "ref-minted",
        "channel": "call",
        "opened_at": "2026-09-21T10:00:00.000000Z",
        "opened_by": None,
        "closed_at": None,
    }
    put = world.cases.puts[0]
    assert (put.source, put.source_key) == ("crm", "10001")
    assert put.assignments[0].from_at == put.opened_at - 2 * 3600 * 10**6 + 500_000


def test_one_bad_case_of_a_batch_does_not_stop_the_others(world: World, client: TestClient) -> None:
    world.cases.failure = NotFoundError("unknown customer `10001`")
    cases = [CASE | {"id": name} for name in ("a", "bad", "b")]
    answer = client.post("/v1/cases:batch", json={"cases": cases}, headers=world.bearer("adm"))
    items = answer.json()["items"]
    assert [i["case"] and i["case"]["id"] for i in items] == ["a", None, "b"]
    assert items[1]["problem"]["status"] == 404
    assert "10001" not in answer.text


def test_a_defect_in_a_batch_is_not_hidden_in_an_item(world: World, client: TestClient) -> None:
    world.cases.failure = ZeroDivisionError()
    cases = [CASE | {"id": name} for name in ("a", "bad")]
    answer = client.post("/v1/cases:batch", json={"cases": cases}, headers=world.bearer("adm"))
    assert answer.status_code == 500


def test_times_need_an_offset_and_a_sensible_year(world: World, client: TestClient) -> None:
    for time in ("2026-09-21T10:00:00", "1969-01-01T00:00:00Z", "now", 7, None):
        answer = client.put(
            "/v1/cases/c-1", json=CASE | {"opened_at": time}, headers=world.bearer("adm")
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/opened_at"


def test_customers_are_enrolled_in_order(world: World, client: TestClient) -> None:
    customers = [{"source": "crm", "source_key": str(n), "region": "eu"} for n in range(3)]
    answer = client.post(
        "/v1/customers:enrol", json={"customers": customers}, headers=world.bearer("adm")
    )
    assert answer.json() == {"customers": ["ref-0", "ref-1", "ref-2"]}


def test_identifiers_are_handed_on_and_their_request_is_not_kept(
    world: World, client: TestClient, log_lines: io.StringIO
) -> None:
    email = {"kind": "email", "value": "maria@example.com"}
    customer = {"source": "crm", "source_key": "7", "region": "eu"}
    headers = world.bearer("adm") | {"idempotency-key": "k1"}
    for identifiers in (None, [], [email]):
        given = {} if identifiers is None else {"identifiers": identifiers}
        body = {"customers": [customer | given]}
        answer = client.post("/v1/customers:enrol", json=body, headers=headers)
        assert answer.json() == {"customers": ["ref-0"]}, answer.text
        headers["idempotency-key"] += "x"
    assert [put.identifiers for put in world.enrolment.puts] == [
        None,
        (),
        (("email", "maria@example.com"),),
    ]
    assert [key for _, _, key in world.memory.replies] == ["k1"]
    assert "maria" not in log_lines.getvalue()


def test_an_identifier_that_breaks_the_schema_is_not_repeated(
    world: World, client: TestClient
) -> None:
    for bad in ({"kind": "name", "value": "maria"}, {"kind": "email", "value": "maria\n"}):
        customer = {"source": "crm", "source_key": "7", "region": "eu", "identifiers": [bad]}
        answer = client.post(
            "/v1/customers:enrol", json={"customers": [customer]}, headers=world.bearer("adm")
        )
        assert answer.status_code == 422
        assert "maria" not in answer.text
