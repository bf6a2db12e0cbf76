"""The complete service for tests, in process over ASGI or as the real `guard serve`.

Nothing is faked: policies, masks, keys, commits and the company's CRM in SQLite are those of a real
set-up, and every person has a token of the local issuer. `open_service` opens no socket;
`ServeProcess` runs the command as an operator would and can be killed at any moment.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import httpx2
from fastapi import FastAPI

import api
from api import worker
from api.app import create_app, local_issuer
from api.bootstrap import Services
from api.cli.demo.cast import acting
from api.cli.demo.crm import SOURCE, make_crm, mapping_text
from api.cli.opened import services as opened_services
from api.identity.issuer import Grant, LocalIssuer
from api.identity.scopes import ALL
from api.settings import PREFIX, Settings, load_settings
from detectors.floor_records import crm_rows
from guard.clock import MINUTE, monotonic, to_rfc3339
from guard.enrolment import CustomerPut
from guard.rows import PrincipalRow
from guard.store import migrate
from guard.store.engine import sqlite_url
from policies.model import ActorKind, Role
from tests.support.makers import TENANT

ROOT = Path(api.__file__).parent.parent
REGION = "eu"
SYNC, LEAD, BOT = "sync", "lead-1", "bot-1"
ANALYST, SECOND_ANALYST = "analyst-1", "analyst-2"
AUDITOR, ADMIN = "auditor-1", "admin-1"
AGENTS = tuple(f"agent-{n}" for n in range(1, 9))
AGENT = AGENTS[0]
Record = Mapping[str, object]

# Imports of a service take some seconds on a busy machine.
READY_S = 60.0
# Beyond any wait of a test: what runs into it hangs.
ANSWER_S = 30.0
CUSTOMERS_AT_ONCE = 100


def person(principal_id: str, role: Role, **changes: Any) -> PrincipalRow:  # noqa: ANN401 - any field
    """Somebody of the tenant, always on shift."""
    values: dict[str, Any] = {
        "id": principal_id,
        "tenant": TENANT,
        "region": REGION,
        "vendor": "",
        "site": "",
        "team": "",
        "line": (),
        "role": role,
        "kind": ActorKind.HUMAN,
        "shift": None,
    }
    return PrincipalRow(**values | changes)


def people() -> list[PrincipalRow]:
    """Agents with their lead, an AI agent, two analysts of two lines, an auditor, an admin."""
    floor: dict[str, Any] = {"vendor": "vend", "site": "site-1", "team": "team-1"}
    return [
        *(person(a, Role.AGENT, **floor, line=(LEAD, "manager-1")) for a in AGENTS),
        person(LEAD, Role.LEAD, **floor, line=("manager-1",)),
        person("manager-1", Role.MANAGER, vendor="vend"),
        person("manager-2", Role.MANAGER),
        person(BOT, Role.AGENT, **floor, kind=ActorKind.AI),
        person(ANALYST, Role.ANALYST, team="security", line=("ciso",)),
        person(SECOND_ANALYST, Role.ANALYST, team="security-2", line=("coo",)),
        person(AUDITOR, Role.AUDITOR, team="audit", line=("board",)),
        person(ADMIN, Role.ADMIN, team="platform", line=("cto",)),
        person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE),
    ]


def records(count: int, seed: int = 7) -> list[Record]:
    """Made-up customers in the shape of the CRM."""
    return list(crm_rows(seed, count))


def write_crm(folder: Path, rows: Iterable[Record]) -> tuple[Path, list[str]]:
    """Make the company's CRM below `folder`; the mapping's file and the source keys."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [(f"cust-{n:05d}", row) for n, row in enumerate(rows, start=1)]
    make_crm(folder / "crm.db", pairs)
    mapping = folder / "crm.toml"
    mapping.write_text(mapping_text(folder / "crm.db"))
    return mapping, [key for key, _ in pairs]


def write_bundle(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Put a policy bundle into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """The environment of a `guard` command on `folder`, with none of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own: dict[str, object] = {
        "data_dir": folder,
        "demo": True,
        "port": 0,
        "admit_deadline_s": ANSWER_S,
        "read_deadline_s": ANSWER_S,
        "source_deadline_s": ANSWER_S,
        "checkpoint_interval_s": 0.1,
        "log_level": "warning",
    }
    return kept | {PREFIX + name.upper(): str(value) for name, value in (own | settings).items()}


async def populate(opened: Services, keys: Sequence[str]) -> list[str]:
    """Put the people and enrol the customers; the references in the order of the source keys."""
    sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
    await opened.directory.put(sync, people())
    refs: dict[tuple[str, str], str] = {}
    for start in range(0, len(keys), CUSTOMERS_AT_ONCE):
        some = keys[start : start + CUSTOMERS_AT_ONCE]
        puts = [CustomerPut(source=SOURCE, source_key=key, region=REGION) for key in some]
        refs |= await opened.enrolment.enrol(sync, puts)
    return [refs[SOURCE, key] for key in keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of the local issuer, minted once for each use."""

    issuer: LocalIssuer
    _minted: dict[tuple[object, ...], str] = field(default_factory=dict)

    def of(self, who: str, *, act: str | None = None, mfa: bool = False) -> str:
        """The token of somebody, or of an AI agent that acts for them."""
        key = (who, act, mfa)
        if key not in self._minted:
            client = "desktop" if act is None else act
            grant = Grant(
                sub=who, tenant=TENANT, client=client, scopes=tuple(sorted(ALL)), act=act, mfa=mfa
            )
            self._minted[key] = self.issuer.mint(grant)
        return self._minted[key]

    def header(self, who: str, *, act: str | None = None, mfa: bool = False) -> dict[str, str]:
        """The header that says so."""
        return {"authorization": f"Bearer {self.of(who, act=act, mfa=mfa)}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A complete service and a client of it."""

    settings: Settings
    services: Services
    app: FastAPI
    client: httpx2.AsyncClient
    tokens: Tokens
    refs: list[str]

    async def ask(
        self,
        method: str,
        path: str,
        who: str,
        body: object = None,
        **more: Any,  # noqa: ANN401 - whatever the client takes
    ) -> httpx2.Response:
        """Send one request with somebody's token."""
        headers = self.tokens.header(who) | more.pop("headers", {})
        return await self.client.request(method, path, json=body, headers=headers, **more)

    async def view(
        self,
        ref: str,
        who: str = AGENT,
        *,
        act: str | None = None,
        mfa: bool = False,
        **body: object,
    ) -> httpx2.Response:
        """Ask for one record; a support case unless `body` says otherwise."""
        asked = {"customer": ref, "purpose": "support_case"} | body
        headers = self.tokens.header(who, act=act, mfa=mfa)
        return await self.client.post("/v1/views", json=asked, headers=headers)

    def case_body(self, ref: str, agent: str = AGENT, **changes: object) -> dict[str, object]:
        """A case that was opened a minute ago and is assigned since; keywords replace a part."""
        since = to_rfc3339(self.services.clock.now() - MINUTE)
        how = changes.pop("how", "inbound")
        body: dict[str, object] = {
            "customer": ref,
            "channel": "phone",
            "opened_at": since,
            "assignments": [{"agent": agent, "how": how, "from": since}],
        }
        return body | changes

    async def case(self, ref: str, agent: str = AGENT, **changes: object) -> str:
        """Put such a case; its id."""
        case_id = "k-" + secrets.token_hex(6)
        body = self.case_body(ref, agent, **changes)
        answer = await self.ask("PUT", f"/v1/cases/{case_id}", SYNC, body)
        assert answer.is_success, answer.text
        return case_id

    async def sign_in(self, who: str) -> dict[str, str]:
        """Sign in to the console; the headers of a browser that holds the session."""
        ticket = (await self.ask("POST", "/v1/sign-in-tickets", who)).json()["ticket"]
        own = {"sec-fetch-site": "same-origin"}
        answer = await self.client.post("/console/sign-in", data={"ticket": ticket}, headers=own)
        assert answer.status_code == httpx2.codes.SEE_OTHER, answer.text
        cookie = answer.headers["set-cookie"].partition(";")[0]
        # The client must not keep it: the next request may be somebody else's.
        self.client.cookies.clear()
        return own | {"cookie": cookie}


@asynccontextmanager
async def open_service(
    store_url: str, folder: Path, rows: Sequence[Record] = (), **settings: object
) -> AsyncIterator[Service]:
    """Build the service over a migrated store and serve it in process, without a socket."""
    mapping, keys = write_crm(folder / "crm", rows or records(20))
    given = {"database_url": store_url, "mapping_file": mapping} | settings
    loaded = load_settings(environment(folder, **given))
    async with reopen_service(loaded, ()) as service:
        yield replace(service, refs=await populate(service.services, keys))


@asynccontextmanager
async def reopen_service(loaded: Settings, refs: Sequence[str]) -> AsyncIterator[Service]:
    """Serve, in process, what the settings describe and an earlier service left there."""
    async with opened_services(loaded) as opened:
        app = create_app(opened)
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield Service(
                settings=loaded,
                services=opened,
                app=app,
                client=client,
                tokens=Tokens(issuer=local_issuer(loaded)),
                refs=list(refs),
            )


@contextmanager
def watching(settings: Settings) -> Iterator[None]:
    """Run the worker's own loop on a thread for the length of a block."""
    stop = Event()
    with worker.open_worker(settings) as watcher:
        thread = Thread(target=worker.run, args=(watcher, stop, lambda: False), name="worker")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@dataclass(slots=True)
class ServeProcess:
    """The real `guard serve` with its worker, in a process group of its own."""

    env: Mapping[str, str]
    log: Path
    # What runs the program: it must become it, so that the process stays the same.
    prefix: tuple[str, ...] = ()
    _process: "subprocess.Popen[bytes] | None" = None
    base_url: str = ""

    @property
    def pid(self) -> int:
        """The service's process id, which is also its group's."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers that it is ready."""
        self.spawn()
        began = monotonic()
        with httpx2.Client(base_url=self._address(), timeout=ANSWER_S) as client:
            while not client.get("/readyz").is_success:
                assert monotonic() - began < READY_S, self.said()

    def spawn(self) -> None:
        """Start it and wait for nothing."""
        with self.log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*self.prefix, sys.executable, "-m", "api.cli", "serve"],
                env=dict(self.env),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def _address(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        assert line.startswith("serving on "), line + self.said()
        self.base_url = line.removeprefix("serving on ").strip()
        return self.base_url

    def said(self) -> str:
        """What it wrote to its standard error so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """Kill -9 the service and its worker at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the service to end, as an operator would; the worker follows it."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(ANSWER_S)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        # The group is our own child's, made by `start_new_session`: nobody else is in it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(ANSWER_S)
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def __enter__(self) -> Self:
        """Nothing runs before `start`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self.kill()


def command(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `guard WORDS` to its end; exit code, standard output and standard error."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "api.cli", *words],
        env=dict(env),
        cwd=ROOT,
        capture_output=True,
        timeout=READY_S,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A data folder in which everything is set for `guard serve`."""

    env: dict[str, str]
    settings: Settings
    tokens: Tokens
    refs: list[str]

    def serve(self) -> ServeProcess:
        """The service on this folder, not started yet."""
        return ServeProcess(self.env, self.settings.data_dir / "serve.log")


async def prepare(folder: Path, rows: Sequence[Record] = (), **settings: object) -> Prepared:
    """Migrate a SQLite file in `folder`, make the CRM, put people and customers."""
    mapping, keys = write_crm(folder / "crm", rows or records(20))
    env = environment(folder, **({"mapping_file": mapping} | settings))
    loaded = load_settings(env)
    migrate.upgrade(sqlite_url(folder / "ledger.db"))
    async with opened_services(loaded) as opened:
        refs = await populate(opened, keys)
    return Prepared(env=env, settings=loaded, tokens=Tokens(issuer=local_issuer(loaded)), refs=refs)
