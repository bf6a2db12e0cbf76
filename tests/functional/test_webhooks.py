"""Signed deliveries against the whole service: what is good counts once, bad leaves nothing.

Policies, store, keys and the real clock are those of a running service; only the socket is missing.
"""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.cli.demo.crm import SOURCE
from api.identity.webhooks import sign
from guard.clock import MINUTE, SECOND, to_rfc3339, wall_micros
from tests.support.log import settle
from tests.support.service import AGENT, AUDITOR, SYNC, Service, open_service

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

SECRET = b"s" * 32
PATH = "/v1/webhooks/zendesk"
SET_UP = f"""whsec_{base64.b64encode(SECRET).decode()}
tenant acme
principal {SYNC}
customers {SOURCE}
"""


@pytest.fixture
async def service(store_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "webhook-zendesk").write_text(SET_UP)
    async with open_service(store_url, tmp_path / "data", secrets_dir=secrets) as opened:
        yield opened


def ticket(number: int, at: int, **event: object) -> dict[str, Any]:
    """A ticket of one of the service's customers, made at a time."""
    return {
        "type": "zen:event-type:ticket.created",
        "time": to_rfc3339(at),
        "detail": {
            "id": f"zd-{number}",
            "status": "OPEN",
            "via": {"channel": "phone"},
            "created_at": to_rfc3339(at),
            "updated_at": to_rfc3339(at),
            "requester": {"external_id": f"cust-{number:05d}"},
            "assignee": {"external_id": AGENT},
        },
        "event": event,
    }


async def deliver(
    service: Service, payload: object, *, name: str = "m-1", at: int | None = None
) -> httpx2.Response:
    body = json.dumps(payload).encode()
    headers = sign(SECRET, name, wall_micros() if at is None else at, body)
    return await service.client.post(
        PATH, content=body, headers=headers | {"content-type": "application/json"}
    )


def size(service: Service) -> int:
    settle(service.services.store)
    with service.services.store.read() as view:
        return view.head()[0]


async def shown(service: Service, ref: str) -> list[tuple[str, str | None]]:
    answer = await service.ask("GET", f"/v1/log/views?customer={ref}", AUDITOR)
    return [(e["link"], e["late_link"]) for e in answer.json()["entries"]]


async def test_a_delivered_case_explains_the_next_view_without_a_click(service: Service) -> None:
    ref = service.refs[0]
    assert (await service.view(ref, reason="the customer is on the line")).is_success
    now = service.services.clock.now()
    answer = await deliver(service, ticket(1, now))
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await service.view(ref)).is_success
    assert await shown(service, ref) == [("owner", None), ("pending", "owner")]


async def test_a_delivery_is_taken_in_once_and_a_replay_is_refused(service: Service) -> None:
    now, signed_at = service.services.clock.now(), wall_micros() - 10 * SECOND
    payload = ticket(2, now)
    assert (await deliver(service, payload, at=signed_at)).status_code == 204
    before = size(service)
    again = await deliver(service, payload, at=signed_at)
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "conflict")
    assert (await deliver(service, payload)).status_code == 204
    assert size(service) == before


async def test_a_transferred_ticket_is_the_receivers(service: Service) -> None:
    now = service.services.clock.now() - 20 * MINUTE
    await deliver(service, ticket(3, now))
    handed = ticket(3, now + MINUTE, previous="77")
    handed["type"] = "zen:event-type:ticket.agent_assignment_changed"
    handed["detail"]["assignee"]["external_id"] = "agent-2"
    assert (await deliver(service, handed, name="m-2")).status_code == 204
    ref = service.refs[2]
    assert (await service.view(ref, "agent-2")).is_success
    await service.view(ref, reason="still at it")
    assert [link for link, _ in await shown(service, ref)] == ["stale", "transfer"]


async def test_bad_deliveries_leave_nothing_behind(service: Service) -> None:
    now = service.services.clock.now()
    before = size(service)
    good = ticket(4, now)
    stale = await deliver(service, good, at=wall_micros() - 6 * MINUTE)
    body = json.dumps(good).encode()
    headers = sign(b"x" * 32, "m-1", wall_micros(), body) | {"content-type": "application/json"}
    forged = await service.client.post(PATH, content=body, headers=headers)
    other = await service.client.post("/v1/webhooks/other", content=body, headers=headers)
    bare = await service.client.post(PATH, json=good)
    shapeless = await deliver(service, {"type": "ticket.created", "detail": {"id": "zd-4"}})
    nobody = ticket(4, now)
    nobody["detail"]["requester"] = {"email": "maria@example.com"}
    unknown = await deliver(service, nobody)
    answers = (stale, forged, other, bare, shapeless, unknown)
    assert [a.status_code for a in answers] == [401, 401, 401, 401, 422, 404]
    assert forged.json()["detail"] == other.json()["detail"] == bare.json()["detail"]
    assert not any("example.com" in a.text or SECRET.decode() in a.text for a in answers)
    assert size(service) == before
    assert (await deliver(service, good)).status_code == 204
