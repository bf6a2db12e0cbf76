import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.identity.webhooks import Webhooks, WebhookSource, sign
from guard.clock import MINUTE, SECOND
from guard.errors import NotFoundError
from policies.model import ActorKind, Role
from tests.unit.api.fakes import NOW, TENANT, World, person
from tests.unit.guard.purposes.feeds.makers import changed
from tests.unit.guard.purposes.feeds.test_zendesk import TICKET

SECRET = b"s" * 32
PATH = "/v1/webhooks/zendesk"


@pytest.fixture(autouse=True)
def source(world: World, client: TestClient) -> None:
    world.memory.put_principal(person("zendesk-sync", Role.SERVICE, ActorKind.SERVICE))
    known = WebhookSource(
        name="zendesk",
        secrets=(SECRET,),
        tenant=TENANT,
        principal="zendesk-sync",
        adapter="zendesk",
        customers="crm",
    )
    client.app.state.webhooks = Webhooks([known], world.clock.now)  # type: ignore[attr-defined] # a FastAPI


def send(client: TestClient, payload: object = TICKET, **changes: Any) -> Any:  # noqa: ANN401 - a response
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = sign(
        changes.get("secret", SECRET), changes.get("id", "m-1"), changes.get("at", NOW), body
    )
    headers["content-type"] = changes.get("media_type", "application/json")
    return client.post(changes.get("path", PATH), content=body, headers=headers)


def test_a_signed_ticket_is_put_in_the_name_of_its_service(
    world: World, client: TestClient
) -> None:
    answer = send(client)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [put.id for put in world.cases.puts] == ["5158"]
    (kept,) = world.cases.deliveries
    assert (kept.tenant, kept.source, kept.id) == (TENANT, "zendesk", "m-1")
    assert kept.at == NOW // SECOND * SECOND


def test_the_same_bytes_again_are_a_replay(world: World, client: TestClient) -> None:
    send(client)
    answer = send(client)
    assert (answer.status_code, answer.json()["title"]) == (409, "It is in another state")
    assert len(world.cases.puts) == 1


@pytest.mark.parametrize(
    ("changes", "status", "slug"),
    [
        ({"secret": b"x" * 32}, 401, "invalid-credential"),
        ({"path": "/v1/webhooks/unknown"}, 401, "invalid-credential"),
        ({"path": "/v1/webhooks/Zen%20desk"}, 422, "invalid-content"),
        ({"path": "/v1/webhooks/.."}, 404, "no-such-path"),
        ({"at": NOW - 6 * MINUTE}, 401, "invalid-credential"),
        ({"at": NOW + 6 * MINUTE}, 401, "invalid-credential"),
        ({"id": ""}, 401, "invalid-credential"),
        ({"media_type": "text/plain"}, 415, "unsupported-media-type"),
        ({"payload": b"{"}, 400, "malformed-body"),
        ({"payload": b"\xff"}, 400, "malformed-body"),
        ({"payload": b""}, 400, "malformed-body"),
        ({"payload": []}, 422, "invalid-request"),
        ({"payload": {"type": "ticket.created"}}, 422, "invalid-request"),
        ({"payload": b'"' + b"x" * 70_000 + b'"'}, 413, "content-too-large"),
    ],
)
def test_bad_deliveries_change_nothing(
    world: World, client: TestClient, changes: dict[str, Any], status: int, slug: str
) -> None:
    answer = send(client, **changes)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (status, slug)
    assert (world.cases.puts, world.cases.deliveries) == ([], [])


def test_without_signature_headers_nothing_is_taken(client: TestClient, world: World) -> None:
    answer = client.post(PATH, json=TICKET)
    assert answer.status_code == 401
    bearer = client.post(PATH, json=TICKET, headers=world.bearer("adm"))
    assert bearer.status_code == 401
    assert world.cases.puts == []


def test_a_wrong_part_is_named_by_its_place_and_never_shown(client: TestClient) -> None:
    answer = send(client, changed(TICKET, detail__id="5158\nsecret", detail__status=None))
    assert answer.json()["detail"].startswith("the payload lacks detail.status")
    answer = send(client, changed(TICKET, detail__requester={"email": "m@example.com\x07"}))
    assert answer.status_code == 422
    assert "example.com" not in answer.text


def test_a_service_that_left_delivers_nothing(world: World, client: TestClient) -> None:
    gone = replace(person("zendesk-sync", Role.SERVICE, ActorKind.SERVICE), is_active=False)
    world.memory.put_principal(gone)
    assert send(client).status_code == 403
    assert world.cases.puts == []


def test_what_the_service_refuses_is_answered_as_its_problem(
    world: World, client: TestClient
) -> None:
    world.cases.failure = NotFoundError("nobody has that identifier: enrol the customer first")
    answer = send(client, changed(TICKET, detail__id="bad"))
    assert answer.status_code == 404
    assert world.cases.deliveries == []
