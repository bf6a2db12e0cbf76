"""Every refusal and every covered field says what to do next, and why.

All that HTTP can refuse of acts on records: each kind of refusal for each act, everybody for every
purpose, each act with its budget spent. The steps are tokens that `docs/acts.md` explains.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.cli.demo.cast import acting
from api.identity.scopes import ALL
from guard.clock import HOUR, to_rfc3339
from guard.findings import Finding, FindingKind, Severity
from guard.rows import OutboxItem
from guard.views import RefusalCode
from policies.model import ActorKind, Desk, Purpose, Role
from tests.support.acts import MemoryChannel
from tests.support.makers import TENANT
from tests.support.policy_bundles import DEFAULT, default_files
from tests.support.service import (
    ADMIN,
    AGENT,
    AGENTS,
    ANALYST,
    BOT,
    LEAD,
    ROOT,
    SYNC,
    Service,
    open_service,
    person,
    records,
    write_bundle,
)

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

SUSPECT, HELD, FRAUD = AGENTS[1], AGENTS[2], "fraud-1"
MASKED = {"hide", "redact", "mask"}


def documented() -> set[str]:
    """The steps that the page on acts explains."""
    page = (ROOT / "docs" / "acts.md").read_text()
    rows = page.partition("| token | what to do |")[2]
    return {token for line in rows.splitlines() for token in re.findall(r"`([a-z_]+)`", line)}


@dataclass(slots=True)
class Refusals:
    """Checks every answer, and keeps which kinds of refusals there were."""

    steps: set[str] = field(default_factory=documented)
    codes: set[tuple[str, str]] = field(default_factory=set)

    def note(self, what: str, answer: httpx2.Response) -> Mapping[str, Any]:
        """Check an answer, and the outcomes of several if it has them."""
        content: dict[str, Any] = answer.json()
        for one in content.get("customers", ()) if "/views:batch" in str(answer.url) else ():
            self.check(what, one.get("problem") or one)
        for copy in content.get("cc", ()):
            self.check(what, copy.get("problem") or copy)
        self.check(what, content)
        return content

    def check(self, what: str, content: Mapping[str, Any]) -> None:
        """A problem offers steps, or says in a sentence what to do; so does a covered field."""
        for note in content.get("fields", ()):
            if note["form"] in MASKED:
                assert note["why"], (what, note)
                assert note["next"], (what, note)
                assert set(note["next"]) <= self.steps, (what, note)
        if "code" in content:
            self.codes.add((content["code"], what))
            assert content["next"], (what, content)
            assert set(content["next"]) <= self.steps, (what, content)
            assert all(content["reasons"]), (what, content)
            assert content["reasons"], (what, content)
        elif "status" in content:
            assert content["detail"], (what, content)


@pytest.fixture
def ledger(sqlite_template: Path) -> bytes:
    return sqlite_template.read_bytes()


def place(folder: Path, ledger: bytes) -> Path:
    """A migrated store in a folder."""
    path = folder / "ledger.db"
    path.write_bytes(ledger)
    return path


@asynccontextmanager
async def opened(folder: Path, ledger: bytes, **files: bytes) -> AsyncIterator[Service]:
    """The shipped policy, or with other files; somebody suspected, somebody suspended."""
    bundle = default_files() | {f"{name}.toml": content for name, content in files.items()}
    policy = write_bundle(folder / "policy", bundle)
    url = f"sqlite:///{place(folder, ledger)}"
    async with open_service(url, folder, records(12), policy_dir=policy) as service:
        sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
        fraud = person(FRAUD, Role.AGENT, team="fraud", desk=Desk.FRAUD, line=("manager-2",))
        await service.services.directory.put(sync, [fraud])
        await service.services.alerts.apply("test", [finding(SUSPECT)])
        path = service.services.broker._path  # noqa: SLF001 - the one place to hand in a channel
        path.parts = replace(path.parts, channels={"mail": MemoryChannel("mail")})
        ends = to_rfc3339(service.services.clock.now() + HOUR)
        held = {"agent": HELD, "reason": "under review", "ends_at": ends}
        assert (await service.ask("POST", "/v1/suspensions", ANALYST, held)).is_success
        yield service


def finding(agent: str) -> OutboxItem:
    """What makes the response ladder climb to its top."""
    found = Finding(
        key=f"agent:{agent}",
        kind=FindingKind.AGENT,
        raised_at=1,
        first_event_at=1,
        agent_ids=(agent,),
        score=9.0,
        severity=Severity.CRITICAL,
        channels=("unexplained",),
        reasons=("24 of 31 views have no case",),
        contributions=(("unexplained", 1.0),),
        evidence=(0,),
    )
    return OutboxItem(position=1, tenant=TENANT, finding=found)


@pytest.fixture
async def service(tmp_path: Path, ledger: bytes) -> AsyncIterator[Service]:
    async with opened(tmp_path, ledger) as one:
        yield one


def asks(ref: str, purpose: str) -> dict[str, tuple[str, dict[str, object]]]:
    """Each act but a reveal, of one customer for one purpose."""
    about: dict[str, object] = {"customer": ref, "purpose": purpose}
    claim = {"field": "phone", "part": "last4", "claim": "0000"}
    mail = {"channel": "mail", "subject": "Your order", "text": "It is on its way."}
    search: dict[str, object] = {
        "kind": "email",
        "value": "nobody@nowhere.example",
        "purpose": purpose,
    }
    return {
        "view": ("/v1/views", about),
        "queue": ("/v1/views:batch", {"customers": [ref, "nobody"], "purpose": purpose}),
        "search": ("/v1/searches", search),
        "verify": ("/v1/verifications", about | claim),
        "contact": ("/v1/contacts", about | mail),
    }


async def test_everybody_is_told_what_to_do_for_every_purpose(service: Service) -> None:
    refusals = Refusals()
    refs = service.refs
    await service.case(refs[0])
    for who in (AGENT, SUSPECT, HELD, LEAD, FRAUD, SYNC, ADMIN, ANALYST):
        for purpose in (*Purpose, "curiosity"):
            for ref in (refs[0], "nobody") if who == AGENT else (refs[0],):
                for act, (path, body) in asks(ref, purpose).items():
                    refusals.note(act, await service.ask("POST", path, who, body))
    for purpose in Purpose:
        for act, (path, body) in asks(refs[1], purpose).items():
            headers = service.tokens.header(AGENT, act=BOT)
            refusals.note(act, await service.client.post(path, json=body, headers=headers))
    found = {code for code, _ in refusals.codes}
    assert {"policy", "explained_only", "suspended", "unknown_customer"} <= found
    for code in ("policy", "suspended"):
        assert {act for one, act in refusals.codes if one == code} == set(asks("", ""))


async def test_each_kind_of_refusal_offers_a_step(service: Service) -> None:
    refusals = Refusals()
    ref, other = service.refs[:2]
    case = await service.case(ref)
    about = {"customer": ref, "case": case, "purpose": "support_case"}
    seen = refusals.note("view", await service.view(ref, case=case))
    stray = refusals.note("view", await service.view(other))

    async def ask(what: str, path: str, body: object, who: str = AGENT) -> Mapping[str, Any]:
        return refusals.note(what, await service.ask("POST", path, who, body))

    reveals = f"/v1/views/{seen['receipt']['entry_id']}/reveals"
    papers = await ask("reveal", reveals, {"fields": ["national_id"], "reason": "to read it"})
    assert papers["code"] == RefusalCode.NOT_REVEALED
    money = await ask("reveal", reveals, {"fields": ["iban"], "reason": "to read it"})
    assert "ask_the_customer_for_a_code" in money["next"]
    odd = await ask("reveal", reveals, {"fields": ["nothing", "cards"], "reason": "to read it"})
    assert odd["code"] == RefusalCode.NOT_REVEALED
    unlinked = f"/v1/views/{stray['receipt']['entry_id']}/reveals"
    body = {"fields": ["email"], "reason": "to read it"}
    assert "name_the_case" in (await ask("reveal", unlinked, body))["next"]
    assert (await ask("reveal", reveals, body, SUSPECT))["code"] == RefusalCode.UNKNOWN_VIEW
    for claim in ({"field": "plan", "part": "full"}, {"field": "nothing", "part": "last4"}):
        told = await ask("verify", "/v1/verifications", {**about, **claim, "claim": "1"})
        assert told["code"] == RefusalCode.NOT_VERIFIABLE
    told = await ask("contact", "/v1/contacts", {**about, "channel": "message", "text": "Hello."})
    assert told["code"] == RefusalCode.NO_CHANNEL
    text = {"customer": "nobody", "text": "hello"}
    for who in (AGENT, SYNC):
        await ask("redaction", "/v1/redactions", text, who)


async def test_what_stands_beside_the_acts_says_what_to_do_too(service: Service) -> None:
    """Grants, codes and lists refuse with a sentence that says what to do or who can."""
    glass = {"customer": service.refs[0], "reason_code": "system_outage", "minutes": 5}
    glass["text"] = "the ticket system is down and the customer waits"
    code = {"customer": service.refs[0], "code": "000000"}
    sentences = []
    for path, who, body in (
        ("/v1/break-glass", HELD, glass),
        ("/v1/break-glass", ADMIN, glass),
        ("/v1/break-glass", AGENT, glass | {"customer": "nobody"}),
        ("/v1/presence", AGENT, code),
        ("/v1/presence", ADMIN, code),
        ("/v1/presence/codes", AGENT, {"customer": service.refs[0]}),
        ("/v1/work-lists/none/approvals", ADMIN, {"digest": "0" * 64}),
    ):
        answer = await service.ask("POST", path, who, body)
        assert answer.status_code in {403, 404}, (path, answer.text)
        sentences.append(answer.json()["detail"])
    # What is wrong, then what to do.
    assert [s for s in sentences if ": " not in s] == []


async def test_a_spent_budget_says_when_or_who(tmp_path: Path, ledger: bytes) -> None:
    quotas = (DEFAULT / "quotas.toml").read_text()
    quotas = re.sub(r"(?m)^limit = \d+$", "limit = 1", quotas)
    quotas = re.sub(r"(?m)^by_risk = .*$", "", quotas)
    async with opened(tmp_path, ledger, quotas=quotas.encode()) as service:
        refusals = Refusals()
        for ref in service.refs[:3]:
            case = await service.case(ref)
            seen = refusals.note("view", await service.view(ref, case=case))
            for act, (path, body) in asks(ref, "support_case").items():
                refusals.note(act, await service.ask("POST", path, AGENT, body))
            if "receipt" in seen and "record" in seen:
                path = f"/v1/views/{seen['receipt']['entry_id']}/reveals"
                reveal = {"fields": ["email"], "reason": "to spell it"}
                for _ in range(2):
                    refusals.note("reveal", await service.ask("POST", path, AGENT, reveal))
        spent = {act for code, act in refusals.codes if code == "quota"}
        assert spent == {*asks("", ""), "reveal"}
