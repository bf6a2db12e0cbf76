import pytest
from starlette.testclient import TestClient

from tests.unit.api.fakes import World

ASKED = {
    "team": "team-a",
    "since": "2026-09-01T00:00:00Z",
    "until": "2026-09-08T00:00:00Z",
    "size": 2,
    "reviewers": ["q1"],
}


@pytest.mark.parametrize("who", ["max", "adm"])
def test_a_sample_is_drawn(world: World, client: TestClient, who: str) -> None:
    answer = client.post("/v1/samples", json=ASKED, headers=world.bearer(who))
    assert answer.json() == {
        "seed": "5e" * 16,
        "drawn_from": 9,
        "ends_at": "2026-09-21T14:13:20.000000Z",
        "drawn": [{"case": "case-0", "reviewer": "q1"}, {"case": "case-1", "reviewer": "q1"}],
    }


def test_agents_leads_and_auditors_draw_nothing(world: World, client: TestClient) -> None:
    for who in ("u17", "lee", "aud"):
        answer = client.post("/v1/samples", json=ASKED, headers=world.bearer(who))
        assert answer.status_code == 403


@pytest.mark.parametrize("body", [{"size": 0}, {"size": 201}, {"reviewers": []}, {"case": "k"}])
def test_nobody_can_name_a_case_or_ask_without_bounds(
    world: World, client: TestClient, body: dict[str, object]
) -> None:
    answer = client.post("/v1/samples", json=ASKED | body, headers=world.bearer("adm"))
    assert answer.status_code == 422
