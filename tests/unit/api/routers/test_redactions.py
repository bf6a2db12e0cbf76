import io

import pytest
from starlette.testclient import TestClient

from tests.unit.api.fakes import World, refused

BODY = {"customer": "ref-1", "text": "call me at +34 612 345 678", "case": "k-1"}


def test_a_service_gets_the_text_back_redacted(
    world: World, client: TestClient, log_lines: io.StringIO
) -> None:
    answer = client.post("/v1/redactions", json=BODY, headers=world.bearer("desk"))
    shown = answer.json()
    assert (shown["text"], shown["taken"], shown["receipt"]["index"]) == ("[hidden]", 1, 44)
    assert "612" not in log_lines.getvalue()


@pytest.mark.parametrize("who", ["u17", "lee", "max", "ana", "aud", "adm"])
def test_no_person_may_ask(world: World, client: TestClient, who: str) -> None:
    answer = client.post("/v1/redactions", json=BODY, headers=world.bearer(who))
    assert answer.status_code == 403
    assert "redactions:write" in answer.json()["detail"]


def test_a_refusal_is_a_problem(world: World, client: TestClient) -> None:
    world.redactions.answer = refused("unknown_customer")
    answer = client.post("/v1/redactions", json=BODY, headers=world.bearer("desk"))
    assert answer.status_code == 404


def test_a_text_that_is_not_taken_is_not_repeated(world: World, client: TestClient) -> None:
    for text, status in (("x" * 65_537, 413), (["xxx"], 422), ({"xxx": 1}, 422)):
        answer = client.post(
            "/v1/redactions", json=BODY | {"text": text}, headers=world.bearer("desk")
        )
        assert answer.status_code == status
        assert "xxx" not in answer.text
