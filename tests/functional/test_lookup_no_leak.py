"""What customers are found by, written to and merged by stays where it belongs.

Canaries are enrolled, indexed from the CRM, put into redactions, merged and misused over the whole
service, with the company's CRM listening on loopback. No identifier may then be found in any file,
answer, log line or metric: only the signed notices hold the CRM's own keys.
"""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests.functional.canaries import Draw, Evidence, Searcher
from tests.support.service import ADMIN, AGENT, REGION, SYNC, Service, open_service, records
from tests.support.sinks import Manner, Sink, http_sink

pytestmark = [pytest.mark.functional, pytest.mark.anyio, pytest.mark.enable_socket]

CONTACTS = """
merge_url = "http://127.0.0.1:{port}/merges"
merge_secret = "crm"
"""


@dataclass
class Stage:
    """The service, the CRM's ear, everything that was answered, and the canaries."""

    service: Service
    crm: Sink
    folder: Path
    lines: io.StringIO
    seen: Evidence = field(default_factory=Evidence)
    hidden: list[str] = field(default_factory=list)
    draw: Draw = field(default_factory=lambda: Draw(41))

    def canary(self) -> str:
        self.hidden.append(self.draw.text())
        return self.hidden[-1]

    def number(self) -> str:
        self.hidden.append(self.draw.digits(14))
        return "+" + self.hidden[-1]

    async def send(self, path: str, body: object, who: str = SYNC) -> httpx2.Response:
        header = self.service.tokens.header(who)
        answer = await self.service.client.post(path, json=body, headers=header)
        self.seen.add(path, answer.content + repr(answer.headers).encode())
        return answer

    def leaks(self) -> list[object]:
        for path in self.folder.rglob("*"):
            if path.is_file() and "crm" not in path.parts[-2:]:
                self.seen.add(path.name, path.read_bytes())
        self.seen.add("log", self.lines.getvalue().encode())
        return list(Searcher(self.hidden).search(self.seen))


def write_folder(data: Path, ledger: bytes, port: int) -> Path:
    (data / "secrets").mkdir(parents=True)
    (data / "ledger.db").write_bytes(ledger)
    (data / "secrets" / "crm").write_text("whsec_" + "QUJD" * 8)
    (data / "contacts.toml").write_text(CONTACTS.format(port=port))
    return data


@pytest.fixture
def template(sqlite_template: Path) -> bytes:
    return sqlite_template.read_bytes()


@pytest.fixture
async def stage(tmp_path: Path, template: bytes, log_stream: io.StringIO) -> AsyncIterator[Stage]:
    with http_sink() as crm:
        data = write_folder(tmp_path / "data", template, crm.port)
        opening = open_service(
            f"sqlite:///{data / 'ledger.db'}",
            data,
            rows=records(4),
            contacts_file=data / "contacts.toml",
            secrets_dir=data / "secrets",
        )
        async with opening as service:
            yield Stage(service=service, crm=crm, folder=data, lines=log_stream)


async def test_identifiers_are_found_and_found_nowhere_else(stage: Stage) -> None:
    service = stage.service
    email, phone, account = stage.canary() + "@example.com", stage.number(), stage.canary()
    pairs = [("email", email), ("phone", phone), ("account", account)]
    customer = {
        "source": "crm",
        "source_key": "cust-00001",
        "region": REGION,
        "identifiers": [{"kind": kind, "value": value} for kind, value in pairs],
    }
    answer = await stage.send("/v1/customers:enrol", {"customers": [customer]})
    (ref,) = answer.json()["customers"]
    lookup = service.services.identifiers
    for kind, value in pairs:
        assert await lookup.find("acme", kind, value) == (ref,)
    for kind, value in (("email", stage.canary()), ("phone", "+1" + stage.canary()), ("fax", "1")):
        bad = customer | {"identifiers": [{"kind": kind, "value": value}]}
        assert (await stage.send("/v1/customers:enrol", {"customers": [bad]})).status_code == 422
    assert stage.leaks() == []


async def test_an_index_built_from_the_crm_finds_its_customers_and_keeps_no_value(
    stage: Stage,
) -> None:
    rows = records(4)
    stage.hidden += [str(row["email"]).partition("@")[0] for row in rows]
    walk = stage.service.services.indexing.walk("acme", rate=10_000.0)
    assert [page.read async for page in walk] == [4]
    found = await stage.service.services.identifiers.find("acme", "email", str(rows[0]["email"]))
    assert found == (stage.service.refs[0],)
    long = [name for name in stage.hidden if len(name) >= 12]
    stage.hidden = long
    assert long
    assert stage.leaks() == []


async def test_a_redacted_text_and_a_merge_leave_no_word_behind(stage: Stage) -> None:
    service = stage.service
    keep, merge = service.refs[:2]
    secret = stage.canary()
    text = f"my card is 4111 1111 1111 1111, write to {secret}@example.com"
    answer = await stage.send("/v1/redactions", {"customer": keep, "text": text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["taken"] >= 2, answer.text
    refused = await stage.send("/v1/redactions", {"customer": keep, "text": text}, AGENT)
    unknown = await stage.send("/v1/redactions", {"customer": stage.canary(), "text": text})
    assert (refused.status_code, unknown.status_code) == (403, 404)
    for n, ref in enumerate((keep, merge)):
        since = "2026-01-01T00:00:00Z"
        case = {
            "customer": ref,
            "channel": "phone",
            "opened_at": since,
            "assignments": [{"agent": AGENT, "how": "inbound", "from": since}],
        }
        put = await service.client.put(
            f"/v1/cases/k-{n}", json=case, headers=service.tokens.header(SYNC)
        )
        assert put.status_code == 200
    body = {"keep": keep, "merge": merge, "case": "k-0", "reason": "one passport"}
    merged = await stage.send("/v1/merges", body, AGENT)
    assert merged.status_code == 200, merged.text
    assert b"cust-00001" in stage.crm.received[0]
    assert b"webhook-signature: v1," in stage.crm.received[0]
    stage.crm.manner = Manner.REFUSES
    assert (await stage.send("/v1/merges", body, AGENT)).status_code == 503
    assert (await stage.send("/v1/merges", body | {"keep": "x"}, AGENT)).status_code == 404
    assert (await stage.send("/v1/merges", body, ADMIN)).status_code == 403
    stage.hidden += ["cust-00001", "cust-00002"]
    assert stage.leaks() == []
