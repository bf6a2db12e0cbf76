"""A call at the desk through the whole service: everything is done, the record stays masked."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.acts import MemoryChannel, MemoryLookup
from tests.support.service import AGENT, SYNC, Service, open_service, records

pytestmark = [pytest.mark.anyio, pytest.mark.functional]
ROW = records(1)[0]
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture
async def service(store_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(store_url, tmp_path) as opened:
        path = opened.services.broker._path  # noqa: SLF001 - the one place to hand in a channel
        lookup = MemoryLookup({("email", str(ROW["email"])): (opened.refs[0],)})
        path.parts = replace(path.parts, lookup=lookup, channels={"mail": MemoryChannel("mail")})
        yield opened


class Desk:
    """Somebody at the desk, who fills in the forms of the page that they see."""

    def __init__(self, service: Service, headers: dict[str, str]) -> None:
        self.service, self.headers = service, headers
        self.pages: list[str] = []

    async def open(self) -> str:
        answer = await self.service.client.get("/console/desk", headers=self.headers)
        return answer.text

    async def send(self, page: str, action: str, **fields: object) -> tuple[int, str]:
        """Send the first form of `page` with that action, hidden fields and all."""
        address = f"/console/desk/{action}"
        form = re.search(rf'<form method="post" action="{address}".*?</form>', page, re.DOTALL)
        assert form is not None, f"no form for {action}"
        data = {name: html.unescape(value) for name, value in HIDDEN.findall(form[0])} | fields
        answer = await self.service.client.post(address, data=data, headers=self.headers)
        self.pages.append(answer.text)
        return answer.status_code, answer.text


async def test_a_whole_call_is_served_from_masked_pages(service: Service) -> None:
    await service.case(service.refs[0])
    desk = Desk(service, await service.sign_in(AGENT))
    start = await desk.open()
    status, found = await desk.send(
        start, "search", kind="email", value=ROW["email"], purpose="support_case"
    )
    assert (status, service.refs[0] in found) == (200, True)
    status, record = await desk.send(found, "record")
    assert status == 200
    status, said = await desk.send(
        record, "verify", what="birth_date:year", claim=str(ROW["birth_date"])[:4]
    )
    assert (status, "Yes, it matches" in said) == (200, True)
    status, said = await desk.send(record, "verify", what="birth_date:year", claim="1066")
    assert "No, it does not match" in said
    status, said = await desk.send(record, "contact", subject="Your order", text="On its way.")
    assert (status, "<h1>Sent</h1>" in said) == (200, True)
    assert not [page for page in desk.pages if str(ROW["email"]) in page]
    status, shown = await desk.send(
        record, "reveal", fields=["email"], reason="they ask me to spell it"
    )
    assert (status, str(ROW["email"]) in shown) == (200, True)
    named = [one for page in desk.pages for one in re.findall(r"entry (\S+) of the log", page)]
    assert len(named) == len(desk.pages)
    assert all(re.fullmatch("[0-9]+|[0-9a-f]{32}", one) for one in named), named


async def test_a_stranger_is_reached_by_a_reason_a_code_or_a_broken_glass(
    service: Service,
) -> None:
    desk = Desk(service, await service.sign_in(AGENT))
    start = await desk.open()
    asked = {"customer": service.refs[1], "purpose": "onboarding", "reason": ""}
    page = start[start.index("Open by reference") - 400 :]
    status, refused = await desk.send(page, "record", **asked)
    assert status == 403
    text = "the caller says that somebody empties the account"
    status, opened = await desk.send(
        refused, "glass", reason_code="fraud_in_progress", text=text, minutes=10
    )
    assert (status, "The glass is broken" in opened) == (200, True)
    status, record = await desk.send(opened, "record")
    assert (status, "break glass" in record) == (200, True)


async def test_the_customers_code_opens_what_it_opens(service: Service) -> None:
    case = await service.case(service.refs[0])
    desk = Desk(service, await service.sign_in(AGENT))
    start = await desk.open()
    status, record = await desk.send(start, "record")
    assert (status, 'id="code"' in record, case in start) == (200, True, True)
    answer = await service.ask("POST", "/v1/presence/codes", SYNC, {"customer": service.refs[0]})
    code = answer.json()["code"]
    wrong = str((int(code) + 1) % 1_000_000).zfill(6)
    status, refused = await desk.send(record, "code", code=wrong)
    assert (status, "ask the customer for a new one" in refused) == (403, True)
    status, taken = await desk.send(record, "code", code=code)
    assert (status, "The code holds" in taken, code in taken) == (200, True, False)
