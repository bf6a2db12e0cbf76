import pytest
from starlette.testclient import TestClient

from policies.model import Tie
from tests.unit.api.fakes import World

GROUP = {"kind": "household", "customers": ["ref-1", "ref-2"]}
TIE = {"principal": "u17", "customer": "ref-1", "tie": "family"}


def test_a_household_is_put(world: World, client: TestClient) -> None:
    answer = client.put("/v1/relations", json=GROUP, headers=world.bearer("adm"))
    assert answer.json() == {"changed": 1}
    client.put("/v1/relations", json=GROUP | {"over": True}, headers=world.bearer("adm"))
    assert [(p.customers, p.is_over) for p in world.relations.puts] == [
        (("ref-1", "ref-2"), False),
        (("ref-1", "ref-2"), True),
    ]


@pytest.mark.parametrize(
    "body", [{"kind": "friends"}, {"customers": ["ref-1"]}, {"customers": ["r"] * 21}]
)
def test_a_group_that_is_none_is_refused(
    world: World, client: TestClient, body: dict[str, object]
) -> None:
    answer = client.put("/v1/relations", json=GROUP | body, headers=world.bearer("adm"))
    assert answer.status_code == 422
    assert world.relations.puts == []


def test_a_tie_is_put_and_nobody_puts_their_own(world: World, client: TestClient) -> None:
    answer = client.put("/v1/ties", json=TIE, headers=world.bearer("adm"))
    assert answer.json() == {"changed": True}
    assert world.ties.puts == [("u17", "ref-1", Tie.FAMILY)]
    own = client.put("/v1/ties", json=TIE | {"principal": "adm"}, headers=world.bearer("adm"))
    assert own.status_code == 403


@pytest.mark.parametrize("who", ["u17", "lee", "ana", "aud"])
def test_only_administrators_and_services_say_who_belongs_together(
    world: World, client: TestClient, who: str
) -> None:
    for path, body in (("/v1/relations", GROUP), ("/v1/ties", TIE)):
        assert client.put(path, json=body, headers=world.bearer(who)).status_code == 403
    assert (world.relations.puts, world.ties.puts) == ([], [])
