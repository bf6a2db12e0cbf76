"""Every act over HTTP, on both engines: the work is done, and no value comes out beside it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from api.replaying import opened_entries
from guard.clock import HOUR, to_rfc3339
from guard.entries import EntryKind, OpenedEntry
from guard.store.engine import is_sqlite
from tests.support.acts import MemoryChannel, MemoryLookup, act_files
from tests.support.log import nothing_placed, settle
from tests.support.service import (
    AGENT,
    AGENTS,
    ANALYST,
    AUDITOR,
    SYNC,
    Service,
    open_service,
    records,
    write_bundle,
)

pytestmark = [pytest.mark.anyio, pytest.mark.functional]
ROW = records(1)[0]
SUPPORT = {"purpose": "support_case"}


@pytest.fixture
async def service(store_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    policy = write_bundle(tmp_path / "policy", act_files())
    async with open_service(store_url, tmp_path, records(20), policy_dir=policy) as opened:
        path = opened.services.broker._path  # noqa: SLF001 - the one place to hand in a channel
        lookup = MemoryLookup({("email", str(ROW["email"])): (opened.refs[0],)})
        channels = {"mail": MemoryChannel("mail")}
        path.parts = replace(path.parts, lookup=lookup, channels=channels)
        yield opened


def log_of(service: Service) -> list[OpenedEntry]:
    settle(service.services.store)
    with service.services.store.read() as view:
        return list(opened_entries(view, service.services.vault))


def values() -> list[str]:
    """What no answer but a reveal may hold: the whole identifying values of the record."""
    return [str(ROW[name]) for name in ("email", "phone", "full_name") if name in ROW]


async def everything(service: Service) -> dict[str, httpx2.Response]:
    """Each act that shows no plain value, carried out, missed and refused."""
    ref = service.refs[0]
    for other in service.refs[1:3]:
        await service.case(other)
    about = {"customer": ref, "case": await service.case(ref), **SUPPORT}
    search = {"kind": "email", "value": ROW["email"], **SUPPORT}
    claim = {**about, "field": "phone", "part": "last4", "claim": "0000"}
    mail = {**about, "channel": "mail", "subject": "Your order", "text": "It is on its way."}
    asks = {
        "hit": ("/v1/searches", search),
        "miss": ("/v1/searches", {**search, "value": "x" + str(ROW["email"])}),
        "bad kind": ("/v1/searches", {**search, "kind": "shoe"}),
        "verified": ("/v1/verifications", claim),
        "not verifiable": ("/v1/verifications", {**claim, "field": "plan"}),
        "contacted": ("/v1/contacts", mail),
        "no channel": ("/v1/contacts", {**about, "channel": "call"}),
        "refused": ("/v1/contacts", {**mail, "purpose": "outreach"}),
        "queue": ("/v1/views:batch", {"customers": [*service.refs[:3], "nobody"], **SUPPORT}),
        "unknown view": ("/v1/views/00/reveals", {"fields": ["email"], "reason": "why"}),
    }
    return {
        name: await service.ask("POST", path, AGENT, body) for name, (path, body) in asks.items()
    }


async def test_every_act_does_its_work_and_no_value_stands_in_any_answer(service: Service) -> None:
    answers = await everything(service)
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {
        "hit": 200,
        "miss": 200,
        "bad kind": 422,
        "verified": 200,
        "not verifiable": 403,
        "contacted": 200,
        "no channel": 403,
        "refused": 403,
        "queue": 200,
        "unknown view": 404,
    }
    for name, answer in answers.items():
        for value in values():
            assert value not in answer.text, name
    assert answers["hit"].json()["customer"] == service.refs[0]
    assert answers["miss"].json()["customer"] is None
    assert answers["contacted"].json()["state"] == "delivered"
    refusals = [a for a in answers.values() if a.status_code in {403, 404}]
    assert all(a.json()["next"] for a in refusals)
    log = log_of(service)
    assert all(value not in str(log) for value in values())
    kinds = Counter(e.kind for e in log)
    assert kinds[EntryKind.SEARCH] == 2
    assert kinds[EntryKind.LISTED] == 3
    assert kinds[EntryKind.CONTACT] == kinds[EntryKind.DELIVERY] == 1


async def test_a_masked_field_is_revealed_with_a_reason_and_says_so_before(
    service: Service,
) -> None:
    ref = service.refs[0]
    view = (await service.view(ref, case=await service.case(ref))).json()
    note = next(n for n in view["fields"] if n["path"] == "email")
    assert "reveal_with_reason" in note["next"]
    path = f"/v1/views/{view['receipt']['entry_id']}/reveals"
    body = {"fields": ["email", "national_id"], "reason": "to spell it"}
    shown = await service.ask("POST", path, AGENT, body)
    assert shown.status_code == 200, shown.text
    assert shown.json()["record"] == {"email": ROW["email"]}
    assert [n["path"] for n in shown.json()["refused"]] == ["national_id"]
    assert (await service.ask("POST", path, AGENTS[1], body)).status_code == 404


async def test_what_follows_an_act_by_its_entry_finds_it_before_it_has_its_place(
    service: Service, store_url: str
) -> None:
    ref = service.refs[0]
    case = await service.case(ref)
    body = {"fields": ["email"], "reason": "to spell it"}
    with nothing_placed(store_url):
        view = (await service.view(ref, case=case)).json()["receipt"]
        assert (view["index"] is None) is not is_sqlite(store_url)
        path = f"/v1/views/{view['entry_id']}/reveals"
        shown = await service.ask("POST", path, AGENT, body)
        assert shown.status_code == 200, shown.text
        assert shown.json()["record"] == {"email": ROW["email"]}
        assert (await service.ask("POST", path, AGENTS[1], body)).status_code == 404
        looking = asyncio.create_task(
            service.ask("GET", f"/v1/log/entries/{view['entry_id']}", AUDITOR)
        )
        asking = asyncio.create_task(service.ask("GET", "/v1/log/views?kind=reveal", AUDITOR))
        # Whoever asks the log waits for it; whoever works does not wait for them.
        again = await service.view(ref, case=case)
        assert again.status_code == 200, again.text
        assert is_sqlite(store_url) or not (looking.done() or asking.done())
    found, reveals = await looking, await asking
    assert found.status_code == 200, found.text
    assert found.json()["entry_id"] == view["entry_id"]
    of = [one["entry_id"] for one in reveals.json()["entries"]]
    assert of == [shown.json()["receipt"]["entry_id"]]


async def test_32_agents_have_5_tries_on_one_customer(service: Service) -> None:
    body = {"customer": service.refs[0], "field": "phone", "part": "last4", "claim": "1", **SUPPORT}
    answers = await asyncio.gather(
        *(service.ask("POST", "/v1/verifications", AGENTS[n % 8], body) for n in range(32))
    )
    assert Counter(a.status_code for a in answers) == {200: 5, 429: 27}
    assert all("tries-of-customer" not in a.text for a in answers)
    kinds = Counter(e.kind for e in log_of(service))
    assert kinds[EntryKind.VERIFICATION] == 5


async def test_a_suspended_agent_is_refused_every_act(service: Service) -> None:
    ends = to_rfc3339(service.services.clock.now() + HOUR)
    held = {"agent": AGENT, "reason": "under review", "ends_at": ends}
    assert (await service.ask("POST", "/v1/suspensions", ANALYST, held)).status_code == 200
    answers = await everything(service)
    queue = answers.pop("queue")
    assert {a.json()["code"] for a in answers.values()} == {"suspended"}
    assert {c["problem"]["code"] for c in queue.json()["customers"]} == {"suspended"}


async def test_a_service_without_an_index_or_channels_says_so(
    store_url: str, tmp_path: Path
) -> None:
    async with open_service(store_url, tmp_path) as service:
        path = service.services.broker._path  # noqa: SLF001 - as an operator who set neither up
        path.parts = replace(path.parts, lookup=None, channels={})
        search = {"kind": "email", "value": "a@example.com", **SUPPORT}
        answer = await service.ask("POST", "/v1/searches", SYNC, search)
        assert answer.status_code in {403, 503}
