"""Work lists, break-glass and present customers, through the whole service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from guard.clock import HOUR, MINUTE, to_rfc3339
from guard.ports import ReadView
from tests.support.makers import TENANT, make_subject
from tests.support.service import (
    ADMIN,
    AGENT,
    ANALYST,
    LEAD,
    SYNC,
    Service,
    open_service,
)

pytestmark = [pytest.mark.functional, pytest.mark.anyio]

ROWS = 100_000
DISTINCT, PIECE = 10_000, 2_500
TEXT = "the caller says that somebody empties the account right now"


@pytest.fixture
async def service(store_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(store_url, tmp_path) as opened:
        yield opened


async def propose(service: Service, **more: object) -> None:
    now = service.services.clock.now()
    body = {
        "team": "team-1",
        "campaign": "spring",
        "starts_at": to_rfc3339(now - MINUTE),
        "ends_at": to_rfc3339(now + HOUR),
        **more,
    }
    answer = await service.ask("PUT", "/v1/work-lists/w1", LEAD, body)
    assert answer.is_success, answer.text


async def upload(service: Service, body: AsyncIterator[bytes] | bytes) -> dict[str, object]:
    headers = service.tokens.header(LEAD) | {"content-type": "text/csv"}
    answer = await service.client.put("/v1/work-lists/w1/customers", content=body, headers=headers)
    assert answer.is_success, answer.text
    found: dict[str, object] = answer.json()
    return found


async def approve(service: Service, *people: str) -> list[int]:
    path = "/v1/work-lists/w1"
    body = {"digest": (await service.ask("GET", path, ADMIN)).json()["digest"]}
    path += "/approvals"
    return [(await service.ask("POST", path, who, body)).status_code for who in people]


async def test_a_list_is_uploaded_approved_twice_and_worked_through(service: Service) -> None:
    await propose(service)
    off, *on = service.refs
    rows = "customer\n" + "".join(f"{ref}\n" for ref in [*on, on[0], "nobody"])
    told = await upload(service, rows.encode())
    assert told["faults"] == [{"line": len(on) + 3, "rule": "unknown_customer"}]
    assert (told["duplicates"], told["rejected"]) == (1, 1)
    assert await approve(service, "manager-1", LEAD, ADMIN, ADMIN, "manager-2") == [
        403,
        403,
        200,
        403,
        200,
    ]
    for ref in on[:3]:
        assert (await service.view(ref, purpose="outreach")).is_success
    assert (await service.view(off, purpose="outreach")).status_code == 403


async def test_a_list_of_100_000_rows_streams(service: Service) -> None:
    refs = [f"c-{n:06}" for n in range(DISTINCT)]
    with service.services.committer._store.begin() as rows:  # type: ignore[attr-defined] # noqa: SLF001 - enrolling so many would take the longest
        rows.add_subjects([make_subject(ref) for ref in refs])
    await propose(service)

    store, seen = service.services.readers, list[int]()

    def listed_now(view: ReadView) -> int:
        return sum(1 for _ in view.work_list_members(TENANT, "w1"))

    async def pieces() -> AsyncIterator[bytes]:
        yield b"customer\n"
        for start in range(0, ROWS, PIECE):
            some = (refs[n % DISTINCT] for n in range(start, start + PIECE))
            yield "".join(f"{ref}\n" for ref in some).encode()
            if start == DISTINCT:
                seen.append(await store.read(listed_now))

    told = await upload(service, pieces())
    listed = told["work_list"]
    assert isinstance(listed, dict)
    assert (told["rows"], told["rejected"], listed["size"]) == (ROWS, 0, DISTINCT)
    assert told["duplicates"] == ROWS - DISTINCT
    # What came first was stored before the last was sent, and nobody could approve it meanwhile.
    assert DISTINCT - 2 * PIECE <= seen[0] <= DISTINCT
    assert len(seen) == 1
    assert await approve(service, ADMIN, "manager-2") == [200, 200]


async def test_a_break_glass_is_noticed_ended_and_reviewed(service: Service) -> None:
    body = {
        "customer": service.refs[0],
        "reason_code": "fraud_in_progress",
        "text": TEXT,
        "minutes": 15,
    }
    opened = await service.ask("POST", "/v1/break-glass", AGENT, body)
    assert opened.is_success, opened.text
    (alert,) = (await service.ask("GET", "/v1/alerts", ANALYST)).json()["alerts"]
    assert (alert["kind"], alert["severity"], alert["assignee"]) == ("break_glass", "low", None)
    assert alert["agents"][0].startswith("agent-")
    path = f"/v1/break-glass/{opened.json()['id']}"
    assert (await service.ask("DELETE", path, AGENT)).is_success
    read = (await service.ask("GET", path, ANALYST)).json()
    assert (read["text"], read["agent"]) == (TEXT, alert["agents"][0])
    found = {"outcome": "justified", "note": "the call is on record"}
    assert (await service.ask("POST", path + "/review", LEAD, found)).status_code == 403
    # Neither of the agent's vendor nor of security: no such grant.
    foreign = await service.ask("POST", path + "/review", "manager-2", found)
    assert foreign.status_code == 404
    assert (await service.ask("POST", path + "/review", ANALYST, found)).is_success
    (alert,) = (await service.ask("GET", "/v1/alerts", ANALYST)).json()["alerts"]
    assert alert["state"] == "dismissed"


async def test_a_present_customer_opens_by_saying_the_code(service: Service) -> None:
    (ref, *_) = service.refs
    made = await service.ask("POST", "/v1/presence/codes", SYNC, {"customer": ref})
    code = made.json()["code"]
    wrong = {"customer": ref, "code": f"{(int(code) + 1) % 10**6:06}"}
    refused = await service.ask("POST", "/v1/presence", AGENT, wrong)
    assert refused.status_code == 403
    assert wrong["code"] not in refused.text
    answer = await service.ask("POST", "/v1/presence", AGENT, {"customer": ref, "code": code})
    assert answer.json()["kind"] == "customer_present"
    again = await service.ask("POST", "/v1/presence", AGENT, {"customer": ref, "code": code})
    assert again.json()["detail"] == refused.json()["detail"]
    mine = await service.ask("POST", "/v1/presence/codes", AGENT, {"customer": ref})
    assert mine.status_code == 403
