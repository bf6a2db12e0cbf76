"""A support desk in front of the whole service: an index, channels, a ticket feed, a witness.

The CRM, the mail server and the telephony system are real and listen on loopback. The witness keeps
every answer that anybody gets, and says which protected values stand in it.
"""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from api.cli.demo.cast import acting
from api.cli.demo.crm import SOURCE
from api.identity.scopes import ALL
from api.identity.webhooks import sign
from guard.clock import wall_micros
from guard.enrolment import CustomerPut
from guard.rows import PrincipalRow
from policies.model import ActorKind, Desk, Role
from tests.support.makers import TENANT
from tests.support.service import REGION, SYNC, Record, Service, open_service, person
from tests.support.sinks import Sink, http_sink, smtp_sink

FRAUD, SENIOR, REVIEWER = "fraud-1", "senior-1", "qa-1"
WEBHOOK_SECRET = b"z" * 32
MERGE_SECRET = "whsec_" + "QUJD" * 8

CONTACTS = """
merge_url = "http://127.0.0.1:{crm}/merges"
merge_secret = "crm"

[[channel]]
name = "mail"
kind = "smtp"
host = "127.0.0.1"
port = {mail}
security = "none"
from = "desk@company.example"
reply_to = "support+{{reference}}@company.example"

[[channel]]
name = "call"
kind = "webhook"
url = "http://127.0.0.1:{calls}/calls"
secret = "crm"
"""

FEED = f"""whsec_{base64.b64encode(WEBHOOK_SECRET).decode()}
tenant {TENANT}
principal {SYNC}
customers {SOURCE}
"""


def specialists() -> list[PrincipalRow]:
    """Those of whom a floor has few: a fraud desk, a second line, a reviewer of another team."""
    floor: dict[str, Any] = {"vendor": "vend", "site": "site-1", "line": ("manager-2",)}
    return [
        person(FRAUD, Role.AGENT, **floor, team="fraud", desk=Desk.FRAUD),
        person(SENIOR, Role.AGENT, **floor, team="second-line", desk=Desk.SENIOR),
        person(REVIEWER, Role.AGENT, **floor, team="quality", desk=Desk.QUALITY),
    ]


def protected(row: Record) -> list[str]:
    """What of a record no masked answer may hold, in the ways it is usually written."""
    address, document = _part(row, "address"), _part(row, "id_document")
    numbers = [str(card["number"]) for card in _parts(row, "cards")]
    email, phone = str(row["email"]), str(row["phone"])
    whole = [row[name] for name in ("full_name", "birth_date", "national_id", "iban")]
    found = [*map(str, whole), email, email.partition("@")[0], phone, *numbers]
    found += [str(address["street"]), str(document["number"]), str(document["image_url"])]
    # Without its spaces, and a phone without its country, as another program would write them.
    bare = [re.sub(r"[\s()-]", "", text) for text in (phone, str(row["iban"]), *numbers)]
    return [text for text in (*found, *bare, bare[0][-8:]) if text]


def name_and_birth(row: Record) -> str:
    """A name and a birth date as a caller says them."""
    return f"{row['full_name']} {row['birth_date']}"


def _part(row: Record, name: str) -> dict[str, object]:
    part = row[name]
    assert isinstance(part, dict)
    return part


def _parts(row: Record, name: str) -> list[dict[str, object]]:
    parts = row[name]
    assert isinstance(parts, list)
    return parts


@dataclass(slots=True)
class Witness:
    """Keeps every answer; a hook of the client."""

    answers: list[tuple[str, str]] = field(default_factory=list)

    async def keep(self, answer: httpx2.Response) -> None:
        """Keep head and body, as they are and as JSON writes letters that are not ASCII."""
        await answer.aread()
        head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
        what = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
        self.answers.append((what, head + answer.text))

    def leaks(self, values: Iterable[str]) -> list[tuple[str, str]]:
        """Which value stands in which answer."""
        wanted = {form for value in values for form in (value, json.dumps(value)[1:-1])}
        return [(what, value) for what, text in self.answers for value in wanted if value in text]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportDesk:
    """The service with what a desk has around it."""

    service: Service
    rows: Sequence[Record]
    mail: Sink
    calls: Sink
    crm: Sink
    witness: Witness
    # What was opened on purpose, of which answers may hold the value.
    opened: list[str] = field(default_factory=list)

    @property
    def refs(self) -> list[str]:
        """The customers' references, in the order of the rows."""
        return self.service.refs

    async def ask(
        self, method: str, path: str, who: str, body: object = None, status: int = 200
    ) -> dict[str, Any]:
        """One request that comes to `status`; its answer."""
        answer = await self.service.ask(method, path, who, body)
        assert answer.status_code == status, (path, answer.text)
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    async def post(self, path: str, who: str, body: object, status: int = 200) -> dict[str, Any]:
        """One POST that comes to `status`; its answer."""
        return await self.ask("POST", path, who, body, status)

    async def put_case(self, ref: str, assignments: Sequence[tuple[str, str, str]]) -> str:
        """A case with assignments of (agent, how, since when)."""
        listed = [{"agent": who, "how": how, "from": since} for who, how, since in assignments]
        opened = min(since for _, _, since in assignments)
        return await self.service.case(ref, assignments=listed, opened_at=opened)

    async def deliver(self, payload: object, name: str = "m-1") -> httpx2.Response:
        """What the ticket system sends, signed."""
        body = json.dumps(payload).encode()
        headers = sign(WEBHOOK_SECRET, name, wall_micros(), body)
        return await self.service.client.post(
            "/v1/webhooks/zendesk",
            content=body,
            headers=headers | {"content-type": "application/json"},
        )

    def leaks(self) -> list[tuple[str, str]]:
        """Protected values of any customer in any answer, but what was opened on purpose."""
        values = {text for row in self.rows for text in protected(row)}
        return self.witness.leaks(values - set(self.opened))


def _write_set_up(folder: Path, ledger: bytes, sinks: tuple[Sink, Sink, Sink]) -> None:
    mail, calls, crm = sinks
    secrets = folder / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "crm").write_text(MERGE_SECRET)
    (secrets / "webhook-zendesk").write_text(FEED)
    (folder / "ledger.db").write_bytes(ledger)
    text = CONTACTS.format(mail=mail.port, calls=calls.port, crm=crm.port)
    (folder / "contacts.toml").write_text(text)


async def _fill(service: Service, rows: Sequence[Record]) -> None:
    """Specialists for the floor, the index from the CRM, and names by enrolment."""
    sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
    await service.services.directory.put(sync, specialists())
    puts = [
        CustomerPut(
            source=SOURCE,
            source_key=f"cust-{n:05d}",
            region=REGION,
            identifiers=(("name_birth_date", name_and_birth(row)),),
        )
        for n, row in enumerate(rows, start=1)
    ]
    await service.services.enrolment.enrol(sync, puts)
    async for _ in service.services.indexing.walk(TENANT, rate=10_000.0):
        pass


@asynccontextmanager
async def open_desk(
    folder: Path, ledger: bytes, rows: Sequence[Record], **settings: object
) -> AsyncIterator[SupportDesk]:
    """The service over a migrated SQLite file, with its surroundings on loopback."""
    data = folder / "data"
    with smtp_sink() as mail, http_sink() as calls, http_sink() as crm:
        _write_set_up(data, ledger, (mail, calls, crm))
        opening = open_service(
            f"sqlite:///{data / 'ledger.db'}",
            data,
            rows,
            contacts_file=data / "contacts.toml",
            secrets_dir=data / "secrets",
            **settings,
        )
        async with opening as service:
            await _fill(service, rows)
            witness = Witness()
            service.client.event_hooks["response"].append(witness.keep)
            yield SupportDesk(
                service=service, rows=rows, mail=mail, calls=calls, crm=crm, witness=witness
            )
