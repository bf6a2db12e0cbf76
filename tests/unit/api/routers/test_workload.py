import pytest
from starlette.testclient import TestClient

from tests.support.makers import make_case
from tests.unit.api.fakes import World

pytestmark = pytest.mark.anyio


async def test_somebody_lists_their_own_cases(world: World, client: TestClient) -> None:
    world.workload.cases = {"u17": [make_case("case-7", ref="ref-1")], "lee": [make_case("c8")]}
    answer = client.get("/v1/cases/mine", headers=world.bearer("u17"))
    assert answer.status_code == 200
    ((case,)) = answer.json()["cases"]
    assert (case["id"], case["customer"]) == ("case-7", "ref-1")


async def test_who_may_not_view_has_no_cases(world: World, client: TestClient) -> None:
    assert client.get("/v1/cases/mine", headers=world.bearer("aud")).status_code == 403
