from starlette.testclient import TestClient

from guard.rows import HoldRow, HoldScope
from tests.unit.api.fakes import NOW, World

BODY = {"customer": "c1", "ground": "objection", "reason": "wrote to us on Monday"}


def test_an_erasure_is_proposed_approved_and_followed(world: World, client: TestClient) -> None:
    answer = client.post("/v1/erasures", json=BODY, headers=world.bearer("adm")).json()
    assert answer["erasure"] | {"proposed_at": ""} == {
        "id": "er-1",
        "customer": "c1",
        "ground": "objection",
        "state": "proposed",
        "proposed_by": "adm",
        "proposed_at": "",
        "approved_by": None,
        "approved_at": None,
        "entry_id": None,
        "done_at": None,
    }
    assert (answer["held_by"], answer["receipt"]["index"]) == ([], 7)
    done = client.post("/v1/erasures/er-1/approvals", headers=world.bearer("ana")).json()
    assert (done["erasure"]["state"], done["erasure"]["approved_by"]) == ("recorded", "ana")
    shown = client.get("/v1/erasures/er-1", headers=world.bearer("aud")).json()
    listed = client.get("/v1/erasures", headers=world.bearer("aud")).json()["erasures"]
    assert listed == [shown]
    assert client.get("/v1/erasures/er-9", headers=world.bearer("aud")).status_code == 404


def test_a_receipt_has_no_index_while_several_brokers_wait_for_one(
    world: World, client: TestClient
) -> None:
    world.erasures.index = None
    answer = client.post("/v1/erasures", json=BODY, headers=world.bearer("adm"))
    assert answer.status_code == 200
    assert answer.json()["receipt"]["index"] is None


def test_a_held_erasure_says_by_what_and_on_which_ground(world: World, client: TestClient) -> None:
    hold = HoldRow(
        id="hold-1",
        tenant="acme",
        scope=HoldScope.CUSTOMER,
        value="c1",
        ref="c1",
        since=None,
        until=None,
        ground="legal_claims",
        matter="L-7",
        set_by="adm",
        set_at=NOW,
    )
    world.erasures.held_by = (hold,)
    client.post("/v1/erasures", json=BODY, headers=world.bearer("adm"))
    done = client.post("/v1/erasures/er-1/approvals", headers=world.bearer("ana")).json()
    assert done["erasure"]["state"] == "held"
    assert done["held_by"] == [{"id": "hold-1", "ground": "legal_claims", "matter": "L-7"}]


def test_the_ground_is_from_a_list_and_the_role_is_right(world: World, client: TestClient) -> None:
    wrong = client.post(
        "/v1/erasures", json=BODY | {"ground": "because"}, headers=world.bearer("adm")
    )
    assert wrong.json()["errors"] == [{"pointer": "#/ground", "rule": "enum"}]
    for who in ("aud", "max"):
        answer = client.post("/v1/erasures", json=BODY, headers=world.bearer(who))
        assert answer.status_code == 403
