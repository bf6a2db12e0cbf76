"""Nothing of a protected field leaves: two hundred trapped records, and all that the service says.

Records whose every value is a canary are viewed under every purpose, role, link and risk; requests
are refused, fail and crash; everything that comes back or is written (bodies, headers, log lines,
metrics, exports, console pages, every file of the data folder with the database's WAL) is searched
for any run of eight characters of a canary in any form (`tests.functional.canaries`). Masks may
show up to four characters of a value, which such a run cannot be made of.
"""

import asyncio
import io
import itertools
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import pytest

from api import logs, problems
from guard.clock import HOUR, MINUTE, to_rfc3339
from guard.errors import SourceError
from guard.findings import Finding, FindingKind, Severity
from guard.purposes.list_members import digest_of
from guard.rows import OutboxItem
from tests.functional.canaries import Evidence, Searcher
from tests.functional.canaries import Finding as Leak
from tests.functional.trapped import LoudSource, Trapped, source_error, trapped
from tests.support.makers import TENANT
from tests.support.policy_bundles import DEFAULT, default_files
from tests.support.service import (
    ADMIN,
    AGENTS,
    ANALYST,
    AUDITOR,
    BOT,
    LEAD,
    SECOND_ANALYST,
    SYNC,
    Service,
    open_service,
    watching,
    write_bundle,
)

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

RECORDS, SEED = 200, 11
# Of the records, every so manieth is seen through each lens; the full run shows all through all.
STRIDE = 1 if os.environ.get("RECORDGUARD_FULL") == "1" else 5
AT_ONCE = 16
CASES_AT_ONCE = 50
# A view with the record in it: the one place where what is not protected may be.
VIEW = "view"
OWNER, STRANGER, HELPED, WARNED, MASKED, CUT = AGENTS[:6]
RISKS = {WARNED: Severity.MEDIUM, MASKED: Severity.HIGH, CUT: Severity.CRITICAL}
ALERT_TURNS, TURN_S = 500, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """One way to look at a record; `status` is what it comes to."""

    name: str
    who: str = OWNER
    purpose: str = "support_case"
    how: str = ""
    reason: str | None = None
    act: str | None = None
    is_named: bool = True
    is_closed: bool = False
    status: int = 200


LENSES = (
    Lens(name="owner", how="inbound"),
    Lens(name="escalation", how="escalation"),
    Lens(name="transfer", how="transfer"),
    Lens(name="self-opened", how="self"),
    Lens(name="related", how="inbound", is_named=False),
    Lens(name="stale", how="inbound", is_closed=True),
    Lens(name="pending", who=STRANGER, is_named=True),
    Lens(name="no link, a reason", who=STRANGER, is_named=False, reason="asked"),
    Lens(name="no link, no reason", who=STRANGER, is_named=False),
    Lens(name="lead", who=LEAD, how="escalation"),
    Lens(name="manager", who="manager-1", is_named=False, reason="asked"),
    Lens(name="service", who=SYNC, how="inbound"),
    Lens(name="outreach", purpose="outreach", is_named=False),
    Lens(name="quality review", who=LEAD, purpose="quality_review", how="qa"),
    Lens(name="AI agent with a case", who=HELPED, act=BOT, purpose="ai_session", how="inbound"),
    Lens(
        name="AI agent without",
        who=HELPED,
        act=BOT,
        purpose="ai_session",
        is_named=False,
        status=403,
    ),
    Lens(name="investigation", who=ANALYST, purpose="investigation", is_named=False),
    Lens(name="notified", who=WARNED, how="inbound"),
    Lens(name="mask more", who=MASKED, how="inbound"),
    Lens(name="explained only", who=CUT, how="inbound"),
    Lens(name="explained only, no case", who=CUT, is_named=False, status=403),
    Lens(name="no such list", who=SYNC, purpose="outreach", is_named=False, status=403),
    Lens(name="no sample", purpose="quality_review", is_named=False, status=403),
    Lens(name="no person", who=ADMIN, is_named=False, status=403),
    Lens(name="no purpose", purpose="curiosity", is_named=False, status=403),
)


@dataclass(slots=True)
class Witness:
    """Sees everything that comes back from the service."""

    evidence: Evidence = field(default_factory=Evidence)
    statuses: Counter[int] = field(default_factory=Counter)

    async def keep(self, answer: httpx2.Response) -> None:
        """Keep headers and body of an answer; a hook of the client."""
        body = await answer.aread()
        self.statuses[answer.status_code] += 1
        path = answer.request.url.path
        what = f"{answer.request.method} {path} {answer.status_code}"
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.evidence.add(f"head of {what}", head.encode())
        is_view = path == "/v1/views" and answer.is_success
        self.evidence.add(VIEW if is_view else what, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A service with trapped records, and the witness of what it says."""

    service: Service
    trapped: Trapped
    witness: Witness

    def leaks(self, *more: tuple[str, bytes]) -> list[Leak]:
        """Where canaries are that must not be there."""
        for label, content in more:
            self.witness.evidence.add(label, content)
        outside = Evidence([piece for piece in self.witness.evidence.pieces if piece[0] != VIEW])
        protected = Searcher(self.trapped.protected).search(self.witness.evidence)
        return sorted(
            protected | Searcher(self.trapped.open).search(outside),
            key=lambda leak: (leak.label, leak.form),
        )


@asynccontextmanager
async def stage(
    folder: Path, count: int, files: dict[str, bytes] | None = None
) -> AsyncIterator[Stage]:
    """The shipped policy over trapped records, with budgets that nobody meets."""
    quotas = re.sub(r"limit = \d+|by_risk = .*", _unlimited, (DEFAULT / "quotas.toml").read_text())
    policy = (files or default_files()) | {"quotas.toml": quotas.encode()}
    rows = trapped(count, SEED)
    url = f"sqlite:///{folder / 'ledger.db'}"
    async with open_service(
        url, folder, rows.rows, policy_dir=write_bundle(folder / "policy", policy)
    ) as service:
        witness = Witness()
        service.client.event_hooks["response"].append(witness.keep)
        yield Stage(service=service, trapped=rows, witness=witness)


def _unlimited(found: re.Match[str]) -> str:
    return "limit = 1000000" if found[0].startswith("limit") else ""


@pytest.fixture
def data(tmp_path: Path, sqlite_template: Path) -> Path:
    """A data folder with an empty, migrated ledger."""
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    return tmp_path


async def raise_risks(service: Service) -> None:
    """Let the response ladder climb for three agents, as findings would."""
    items = [
        OutboxItem(position=n, tenant=TENANT, finding=a_finding(agent, severity))
        for n, (agent, severity) in enumerate(RISKS.items(), start=1)
    ]
    await service.services.alerts.apply("test", items)


def a_finding(agent: str, severity: Severity) -> Finding:
    return Finding(
        key=f"agent:{agent}",
        kind=FindingKind.AGENT,
        raised_at=1,
        first_event_at=1,
        agent_ids=(agent,),
        score=9.0,
        severity=severity,
        channels=("unexplained",),
        reasons=("24 of 31 views have no case",),
        contributions=(("unexplained", 1.0),),
        evidence=(0,),
    )


async def put_list(service: Service) -> None:
    """An approved outreach list with everybody on it."""
    now = service.services.clock.now()
    body = {
        "team": "team-1",
        "campaign": "spring",
        "starts_at": to_rfc3339(now - MINUTE),
        "ends_at": to_rfc3339(now + HOUR),
        "customers": service.refs,
    }
    assert (await service.ask("PUT", "/v1/work-lists/w1", LEAD, body)).is_success
    body = {"digest": digest_of(service.refs)}
    for approver in ("manager-2", ADMIN):
        answer = await service.ask("POST", "/v1/work-lists/w1/approvals", approver, body)
        assert answer.is_success, answer.text


def seen(service: Service) -> Iterator[tuple[Lens, str, str]]:
    """Which record is seen through which lens, and its case there."""
    for (n, lens), (m, ref) in itertools.product(enumerate(LENSES), enumerate(service.refs)):
        if (n + m) % STRIDE == 0:
            yield lens, ref, f"k-{n}-{m}"


async def put_cases(service: Service) -> None:
    """The cases that the lenses need."""
    bodies = [case_of(service, lens, ref, case) for lens, ref, case in seen(service) if lens.how]
    for start in range(0, len(bodies), CASES_AT_ONCE):
        some = {"cases": bodies[start : start + CASES_AT_ONCE]}
        answer = await service.ask("POST", "/v1/cases:batch", SYNC, some)
        assert all(item["problem"] is None for item in answer.json()["items"])


def case_of(service: Service, lens: Lens, ref: str, case: str) -> dict[str, object]:
    at = service.services.clock.now()
    changes: dict[str, object] = {"id": case, "how": lens.how}
    if lens.is_closed:
        changes |= {"opened_at": to_rfc3339(at - 3 * HOUR), "closed_at": to_rfc3339(at - HOUR)}
    return service.case_body(ref, lens.who, **changes)


async def look(service: Service) -> None:
    """See the records through all lenses."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(lens: Lens, ref: str, case: str) -> None:
        body = {"purpose": lens.purpose, "reason": lens.reason}
        if lens.is_named:
            body["case"] = case
        is_analyst = lens.who == ANALYST
        async with turns:
            answer = await service.view(ref, lens.who, act=lens.act, mfa=is_analyst, **body)
        assert answer.status_code == lens.status, (lens.name, answer.text)

    async with asyncio.TaskGroup() as group:
        for lens, ref, case in seen(service):
            group.create_task(one(lens, ref, case))


async def in_mode(service: Service, mode: str) -> None:
    row = await service.ask("PUT", "/v1/modes", ANALYST, {"mode": mode})
    await service.ask("POST", f"/v1/modes/{row.json()['id']}/approvals", SECOND_ANALYST)
    for ref in service.refs[::20]:
        assert (await service.view(ref, STRANGER, purpose="outreach")).status_code == 200


async def misuse(service: Service, canary: str) -> None:
    """Send a customer's value where an id, a name or a secret belongs; it must not come back."""
    header = service.tokens.header(OWNER)
    view = {"customer": service.refs[0], "purpose": "support_case"}
    bodies: tuple[object, ...] = (
        view | {"customer": canary},
        view | {"purpose": canary},
        view | {"fields": [canary]},
        view | {canary: canary},
        view | {"case": canary, "reason": [canary]},
        [canary],
        canary,
    )
    for body in bodies:
        await service.client.post("/v1/views", json=body, headers=header)
    await service.client.post("/v1/views", content=f'{{"{canary}":'.encode(), headers=header)
    for method, path in (
        ("GET", f"/v1/alerts/{canary}"),
        ("GET", f"/v1/alerts?cursor={canary}"),
        ("GET", f"/v1/alerts?state={canary}&limit={canary}"),
        ("GET", f"/v1/log/views?customer={canary}"),
        ("GET", f"/v1/log/proof/{canary}"),
        ("POST", f"/v1/notices/{canary}/contest"),
        ("GET", f"/{canary}"),
        (canary, "/v1/views"),
        ("GET", f"/console/alerts/{canary}"),
        ("GET", f"/console/{canary}"),
    ):
        for who in (OWNER, ANALYST):
            await service.ask(method, path, who, {"text": "x"})
    for bad in ({"authorization": f"Bearer {canary}"}, header | {"x-asserted-agent": canary}):
        await service.client.get("/v1/quota", headers=bad)


async def break_down(service: Service, canary: str) -> None:
    """Let the source fail with a value in its error's text, in every way an error can come."""
    sources: dict[str, object] = service.services._sources  # type: ignore[assignment] # noqa: SLF001 - a driver that fails on demand is no real one
    real = sources["crm"]
    raisers: tuple[Callable[[str], Exception], ...] = (
        source_error,
        RuntimeError,
        KeyError,
        ValueError,
        OSError,
        lambda text: ExceptionGroup(text, [ValueError(text)]),
    )
    for raiser in raisers:
        sources["crm"] = LoudSource(canary, raiser)
        answer = await service.view(service.refs[0], STRANGER, reason="asked")
        assert answer.status_code in {500, 503}, answer.text
    sources["crm"] = real


async def read_everything(service: Service) -> None:
    """Fetch all that auditors, reviewers, agents and machines can fetch."""
    for path in ("/openapi.json", "/metrics", "/livez", "/readyz", "/v1/views", "/nowhere"):
        await service.client.get(path)
    await service.ask("GET", f"/v1/log/views?customer={service.refs[1]}&limit=200", AUDITOR)
    await service.ask("GET", f"/v1/log/views?agent={OWNER}&reason=x&limit=200", AUDITOR)
    for path in ("/v1/log/checkpoint", "/v1/log/proof/3", "/v1/modes", "/v1/suspensions"):
        await service.ask("GET", path, AUDITOR)
    for who in (OWNER, CUT, LEAD):
        await service.ask("GET", "/v1/notices", who)
        await service.ask("GET", "/v1/quota", who)
    for form in ("ndjson", "csv"):
        answer = await service.ask("POST", "/v1/exports", AUDITOR, {"format": form})
        assert answer.is_success
        assert answer.content.count(b"\n") > len(service.refs)
    alerts = (await service.ask("GET", "/v1/alerts", ANALYST)).json()["alerts"]
    assert len(alerts) >= len(RISKS)
    for alert in alerts:
        await service.ask("GET", f"/v1/alerts/{alert['id']}", ANALYST)
        await service.ask("GET", f"/v1/alerts/{alert['id']}/evidence", ANALYST)
    await read_console(service, [str(alert["id"]) for alert in alerts])


async def read_console(service: Service, alerts: list[str]) -> None:
    analyst, auditor = await service.sign_in(ANALYST), await service.sign_in(AUDITOR)
    agent = await service.sign_in(CUT)
    get = service.client.get
    for path in ("/console/alerts", "/console/alerts?show=all", "/console/me", "/console/audit"):
        assert (await get(path, headers=analyst)).is_success
    assert (await get("/console/me", headers=agent)).is_success
    for alert in alerts:
        page = await get(f"/console/alerts/{alert}", headers=analyst)
        for found in re.findall(rf"/console/alerts/{alert}/agents/[^\"]+", page.text):
            assert (await get(found, headers=analyst)).is_success
    page = await get("/console/audit", headers=auditor)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    for about, name in (("customer", service.refs[1]), ("agent", OWNER)):
        form = {"csrf": csrf, "about": about, "id": name, "reason": "x"}
        assert (await service.client.post("/console/audit", data=form, headers=auditor)).is_success
        form = {"csrf": csrf, "about": about, "id": name, "format": "csv", "why": "x"}
        answer = await service.client.post("/console/audit/export", data=form, headers=auditor)
        assert answer.is_success


async def until_alerted(service: Service, count: int) -> None:
    """Wait until the real detectors have said something too."""
    for _ in range(ALERT_TURNS):
        page = await service.ask("GET", "/v1/alerts?limit=100", ANALYST)
        if len(page.json()["alerts"]) > count:
            return
        await asyncio.sleep(TURN_S)
    pytest.fail("no alert of the detectors came")


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that the service wrote, its database and the WAL among them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "crm" not in path.relative_to(folder).parts:
            yield f"file {path.relative_to(folder)}", path.read_bytes()


async def test_no_canary_of_two_hundred_records_leaves_the_service(
    data: Path, log_stream: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    async with stage(data, RECORDS) as on:
        service = on.service
        await raise_risks(service)
        await put_list(service)
        await put_cases(service)
        await look(service)
        await misuse(service, on.trapped.protected[3])
        await break_down(service, on.trapped.protected[4])
        await in_mode(service, "mask")
        with watching(service.settings):
            await until_alerted(service, len(RISKS))
            await read_everything(service)
        written = list(files(data))
        names = {name for name, _ in written}
        assert {"file ledger.db", "file ledger.db-wal", "file log/checkpoint"} <= names
        printed = capfd.readouterr()
        leaks = on.leaks(
            ("log", log_stream.getvalue().encode()),
            ("printed", (printed.out + printed.err).encode()),
            *written,
        )
        assert leaks == []
        counts = on.witness.statuses
        assert {200, 201, 303, 400, 401, 403, 404, 405, 422, 500, 503} <= counts.keys()
    # The search must have had something to find: views show what they may show.
    views = [content for label, content in on.witness.evidence.pieces if label == VIEW]
    assert any(canary.encode() in view for view in views for canary in on.trapped.open)
    with capfd.disabled():
        sys.stdout.write(
            f"\n{RECORDS} records, {len(on.trapped.protected)} protected and"
            f" {len(on.trapped.open)} other canaries, {len(LENSES)} lenses, {len(views)}"
            f" views, {sum(counts.values())} answers, {on.witness.evidence.size} bytes: no leak\n"
        )


async def test_observing_shows_records_in_views_and_nowhere_else(
    data: Path, log_stream: io.StringIO
) -> None:
    async with stage(data, 20) as on:
        await in_mode(on.service, "observe")
        await on.service.ask("POST", "/v1/exports", AUDITOR, {})
        pieces = on.witness.evidence.pieces
        views = [content for label, content in pieces if label == VIEW]
        assert any(canary.encode() in view for view in views for canary in on.trapped.protected)
        on.witness.evidence.pieces = [piece for piece in pieces if piece[0] != VIEW]
        leaks = on.leaks(("log", log_stream.getvalue().encode()), *files(data))
        assert leaks == []


class TestPlantedLeaks:
    """Each plants one leak of a kind that a change could bring, and sees it caught."""

    async def test_an_error_that_is_shown(
        self, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loud = replace(problems.TABLE[SourceError], shows_text=True)
        monkeypatch.setitem(problems.TABLE, SourceError, loud)
        async with stage(data, 4) as on:
            await break_down(on.service, on.trapped.protected[4])
            assert {leak.label for leak in on.leaks()} == {"POST /v1/views 503"}

    async def test_a_key_that_is_logged(
        self, data: Path, monkeypatch: pytest.MonkeyPatch, log_stream: io.StringIO
    ) -> None:
        monkeypatch.setattr(logs, "ALLOWED", logs.ALLOWED | {"detail"})
        async with stage(data, 4) as on:
            await break_down(on.service, on.trapped.protected[4])
            leaks = on.leaks(("log", log_stream.getvalue().encode()))
            assert {leak.label for leak in leaks} == {"log"}

    async def test_a_mask_that_shows_eight_characters(self, data: Path) -> None:
        fields = default_files()["fields.toml"].decode()
        loose = fields.replace(
            'iban             = { class = "financial", mask = { transform = "keep_last", n = 4',
            'iban             = { class = "financial", mask = { transform = "keep_last", n = 8',
        )
        assert loose != fields
        bundle = default_files() | {"fields.toml": loose.encode()}
        async with stage(data, 4, bundle) as on:
            for ref in on.service.refs:
                case = await on.service.case(ref)
                assert (await on.service.view(ref, case=case)).is_success
            assert {(leak.form, leak.label) for leak in on.leaks()} >= {("plain", VIEW)}

    async def test_a_value_in_a_file(self, data: Path) -> None:
        async with stage(data, 4) as on:
            (data / "crash.txt").write_text(on.trapped.protected[7][::-1])
            assert {leak.label for leak in on.leaks(*files(data))} == {"file crash.txt"}
