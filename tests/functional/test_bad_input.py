"""Bad input of every kind: the right refusal, no stack trace, nothing lost, and it goes on.

Three tables: requests that make no sense, set-ups that cannot start, and a disk that stops taking
writes while the service runs. After each, the ledger verifies and `/livez` answers.
"""

import asyncio
import base64
import hmac
import io
import json
import resource
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from api.audit import verify_store
from api.identity.issuer import KEY_FILE, Grant
from api.identity.scopes import ALL
from api.places import database_url, log_signer, open_keyring
from api.replaying import opened_entries
from api.settings import load_settings
from guard.clock import SECOND, wall_micros
from guard.entries import EntryKind
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault
from tests.functional.starts import refused
from tests.support.log import settle
from tests.support.makers import TENANT
from tests.support.policy_bundles import default_files
from tests.support.service import (
    AGENT,
    ANALYST,
    ANSWER_S,
    AUDITOR,
    ServeProcess,
    Service,
    command,
    environment,
    open_service,
    prepare,
    write_bundle,
)

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

MB = 1 << 20
CONFIG = 78
RECOVERY_TURNS, RECOVERY_S = 200, 0.05
PROBLEM = "application/problem+json"
TRACES = ("Traceback", 'File "', "site-packages", "sqlalchemy", "sqlite3", "psycopg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A request, and the problem that it must come to. `{ref}` stands for a known customer."""

    name: str
    status: int
    problem: str
    method: str = "POST"
    path: str = "/v1/views"
    body: bytes = b'{"customer": "{ref}", "purpose": "support_case"}'
    who: str = AGENT
    token: str | None = None
    media_type: str = "application/json"
    is_entry: bool = False


def view(extra: str) -> bytes:
    return f'{{"customer": "{{ref}}", "purpose": "support_case", {extra}}}'.encode()


def nested(depth: int) -> bytes:
    return view('"reason": ' + "[" * depth + "]" * depth)


BODIES = (
    Bad(name="no body", status=422, problem="invalid-content", body=b""),
    Bad(name="not JSON", status=422, problem="invalid-content", body=b"customer=1"),
    Bad(name="cut JSON", status=422, problem="invalid-content", body=b'{"customer": "a'),
    Bad(name="a list", status=422, problem="invalid-content", body=b"[]"),
    Bad(name="a number", status=422, problem="invalid-content", body=b"7"),
    Bad(name="two documents", status=422, problem="invalid-content", body=b"{} {}"),
    Bad(
        name="another media type",
        status=415,
        problem="unsupported-media-type",
        media_type="text/plain",
    ),
    Bad(name="unknown field", status=422, problem="invalid-content", body=view('"limit": 1')),
    Bad(name="a missing field", status=422, problem="invalid-content", body=b'{"customer": "a"}'),
    Bad(name="a wrong type", status=422, problem="invalid-content", body=view('"reason": 7')),
    Bad(
        name="too long", status=422, problem="invalid-content", body=view(f'"case": "{"k" * 129}"')
    ),
    Bad(
        name="too many",
        status=422,
        problem="invalid-content",
        body=view(f'"fields": {["a"] * 65}'.replace("'", '"')),
    ),
    Bad(
        name="10 MB",
        status=413,
        problem="content-too-large",
        body=view(f'"reason": "{"x" * (10 * MB)}"'),
    ),
    Bad(name="17 deep", status=400, problem="malformed-body", body=nested(17)),
    Bad(name="30,000 deep", status=400, problem="malformed-body", body=nested(30_000)),
    Bad(name="unclosed depth", status=400, problem="malformed-body", body=b"[" * 60_000),
    Bad(name="a NUL", status=400, problem="malformed-body", body=view('"reason": "a\0b"')),
    Bad(
        name="an escaped NUL",
        status=422,
        problem="invalid-content",
        body=view('"reason": "a\\u0000b"'),
    ),
    Bad(
        name="a NUL in an id",
        status=422,
        problem="invalid-content",
        body=view('"case": "a\\u0000b"'),
    ),
    Bad(
        name="a line break in an id",
        status=422,
        problem="invalid-content",
        body=view('"case": "a\\nb"'),
    ),
    Bad(
        name="a lone surrogate",
        status=422,
        problem="invalid-content",
        body=view('"reason": "\\ud800"'),
    ),
    Bad(name="half a pair", status=422, problem="invalid-content", body=view('"case": "a\\udfff"')),
    Bad(name="no UTF-8", status=400, problem="malformed-body", body=b'{"customer": "\xff"}'),
    Bad(name="an encoded surrogate", status=400, problem="malformed-body", body=b'"\xed\xa0\x80"'),
    Bad(
        name="UTF-16",
        status=400,
        problem="malformed-body",
        body='{"customer": "a"}'.encode("utf-16"),
    ),
)
QUESTIONS = (
    Bad(
        name="unknown customer",
        status=404,
        problem="unknown-customer",
        is_entry=True,
        body=b'{"customer": "nobody", "purpose": "support_case"}',
    ),
    Bad(
        name="unknown purpose",
        status=403,
        problem="view-refused",
        is_entry=True,
        body=b'{"customer": "{ref}", "purpose": "curiosity"}',
    ),
    Bad(
        name="wrong purpose",
        status=403,
        problem="view-refused",
        is_entry=True,
        body=b'{"customer": "{ref}", "purpose": "outreach"}',
    ),
    Bad(name="no scope", status=403, problem="access-denied", who=AUDITOR),
    Bad(name="no such path", status=404, problem="no-such-path", path="/v1/view"),
    Bad(name="no such method", status=405, problem="method-not-allowed", method="DELETE"),
    Bad(name="an odd method", status=405, problem="method-not-allowed", method="BREW"),
    Bad(
        name="a made-up cursor",
        status=400,
        problem="invalid-cursor",
        method="GET",
        path="/v1/alerts?cursor=AAAA",
        who=ANALYST,
    ),
    Bad(
        name="a negative index",
        status=422,
        problem="invalid-content",
        method="GET",
        path="/v1/log/proof/-1",
    ),
    Bad(
        name="an endless index",
        status=422,
        problem="invalid-content",
        method="GET",
        path="/v1/log/proof/" + "9" * 400,
    ),
    Bad(
        name="an index beyond the log",
        status=404,
        problem="not-found",
        method="GET",
        path="/v1/log/proof/9999999",
    ),
    Bad(
        name="no page",
        status=422,
        problem="invalid-content",
        method="GET",
        path="/v1/log/views?agent=a&limit=0",
        who=AUDITOR,
    ),
    Bad(
        name="no reason to ask about an agent",
        status=422,
        problem="invalid-request",
        method="GET",
        path="/v1/log/views?agent=a&customer={ref}",
        who=AUDITOR,
    ),
    Bad(
        name="no such time",
        status=422,
        problem="invalid-content",
        method="GET",
        path="/v1/log/views?agent=a&since=yesterday",
        who=AUDITOR,
    ),
    Bad(
        name="escapes in a path",
        status=404,
        problem="no-such-path",
        method="GET",
        path="/v1/log/proof/..%2F..%2Fkeys",
    ),
)


def tokens(service: Service) -> Iterator[Bad]:
    """Credentials that do not hold; all but the last come to the same answer."""
    now = wall_micros() // SECOND
    claims: dict[str, object] = {
        "iss": service.settings.issuer,
        "aud": service.settings.audience,
        "sub": AGENT,
        "tenant": TENANT,
        "client_id": "desk",
        "scope": " ".join(ALL),
        "iat": now,
        "exp": now + 600,
    }
    own = ECKey.import_key((service.settings.data_dir / KEY_FILE).read_bytes())
    foreign = ECKey.generate_key("P-256")

    def signed(key: ECKey, **changes: object) -> str:
        header = {"alg": "ES256", "kid": own.thumbprint(), "typ": "at+jwt"}
        return jwt.encode(header, claims | changes, key, algorithms=["ES256"])

    body = signed(own).split(".")[1]
    public = own.as_pem(private=False)
    by_key = _part({"alg": "HS256", "kid": own.thumbprint(), "typ": "at+jwt"}) + "." + body
    mac = base64.urlsafe_b64encode(hmac.digest(public, by_key.encode(), "sha256")).decode()
    made = {
        "no token": "",
        "not a token": "x.y.z",
        "an endless token": "a" * 100_000,
        "expired": signed(own, exp=now - 60),
        "a foreign key": signed(foreign),
        "another audience": signed(own, aud="elsewhere"),
        "another issuer": signed(own, iss="urn:elsewhere"),
        "the public key as a secret": f"{by_key}.{mac.rstrip('=')}",
        "signed by none": _part({"alg": "none", "typ": "at+jwt"}) + f".{body}.",
        "no subject": signed(own, sub=""),
        "an API key of nobody": "rgk_0123456789abcdef_" + "A" * 43,
    }
    for name, token in made.items():
        yield Bad(name=name, status=401, problem="invalid-credential", token=token)
    gone = Grant(sub="gone", tenant=TENANT, client="desk", scopes=tuple(ALL))
    unknown = service.tokens.issuer.mint(gone)
    yield Bad(name="nobody", status=403, problem="access-denied", token=unknown)


def _part(header: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


async def send(service: Service, bad: Bad) -> httpx2.Response:
    ref = service.refs[0]
    token = service.tokens.of(bad.who) if bad.token is None else bad.token
    return await service.client.request(
        bad.method,
        bad.path.replace("{ref}", ref),
        content=bad.body.replace(b"{ref}", ref.encode()) if bad.method == "POST" else None,
        headers={"authorization": f"Bearer {token}", "content-type": bad.media_type},
    )


def fault(bad: Bad, answer: httpx2.Response) -> str | None:
    """What is wrong with an answer."""
    if (answer.status_code, answer.headers.get("content-type")) != (bad.status, PROBLEM):
        return f"{bad.name}: {answer.status_code} {answer.text[:200]}"
    document = answer.json()
    if not document["type"].endswith("/" + bad.problem) or document["status"] != bad.status:
        return f"{bad.name}: {document}"
    if any(trace in answer.text for trace in TRACES):
        return f"{bad.name} shows its inside: {answer.text[:200]}"
    return None


async def test_bad_requests_are_refused_in_words_and_change_nothing(
    store_url: str, tmp_path: Path, log_stream: io.StringIO
) -> None:
    async with open_service(store_url, tmp_path) as service:
        before = kinds(service)
        table = (*BODIES, *QUESTIONS, *tokens(service))
        faults = [fault(bad, await send(service, bad)) for bad in table]
        if any(faults):
            pytest.fail("\n".join(one for one in faults if one))
        assert (await service.client.get("/livez")).json() == {"status": "alive"}
        assert (await service.client.get("/readyz")).is_success
        assert (await service.view(service.refs[0], reason="asked")).status_code == 200
        after = kinds(service) - before
        refused = sum(bad.is_entry for bad in table)
        assert after == {EntryKind.REFUSAL: refused, EntryKind.VIEW: 1}
        with service.services.store.read() as view:
            keyring = service.services.keyring
            verify_store(
                view, service.services.vault, log_signer(keyring, service.settings).verifier
            )
    assert not any(trace in log_stream.getvalue() for trace in TRACES[:2])


def kinds(service: Service) -> Counter[EntryKind]:
    settle(service.services.store)
    with service.services.store.read() as view:
        return Counter(e.kind for e in opened_entries(view, service.services.vault))


# Set-ups that cannot start.


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A set-up that is broken by `make`, which returns changed settings; what the line must say."""

    name: str
    make: Callable[[Path], Mapping[str, object]]
    says: tuple[str, ...]
    is_read_only: bool = False


def bundle(name: str, old: str, new: str) -> Callable[[Path], Mapping[str, object]]:
    """A policy bundle with one change."""

    def make(folder: Path) -> Mapping[str, object]:
        files = default_files()
        changed = files[name].decode().replace(old, new, 1).encode()
        assert changed != files[name]
        return {"policy_dir": write_bundle(folder / "policy", files | {name: changed})}

    return make


def mapping(old: str, new: str) -> Callable[[Path], Mapping[str, object]]:
    """A mapping of the CRM with one change."""

    def make(folder: Path) -> Mapping[str, object]:
        path = folder / "crm" / "crm.toml"
        changed = path.read_text().replace(old, new, 1)
        assert changed != path.read_text()
        broken = folder / "broken.toml"
        broken.write_text(changed)
        return {"mapping_file": broken}

    return make


def open_key(folder: Path) -> Mapping[str, object]:
    """Keys that others may read, in a copy of the key folder."""
    key = folder / "open.key"
    key.write_bytes((folder / "keys" / "root.key").read_bytes())
    key.chmod(0o644)
    return {"kms_uri": key.absolute().as_uri()}


def settings(**changes: object) -> Callable[[Path], Mapping[str, object]]:
    return lambda _folder: changes


BROKEN = (
    Broken(
        name="a policy that is no Cedar",
        make=bundle("admit.cedar", "permit (principal,", "permitt (principal,"),
        says=("admit.cedar:14:",),
    ),
    Broken(
        name="a policy with a word that the schema lacks",
        make=bundle("show.cedar", 'FieldClass::"journey"', 'FieldClass::"jurney"'),
        says=("show.cedar:17:",),
    ),
    Broken(
        name="a catalogue that is no TOML",
        make=bundle("fields.toml", "[fields]", "[fields"),
        says=("fields.toml:7:",),
    ),
    Broken(
        name="a budget without a limit",
        make=bundle("quotas.toml", "limit = 40\n", ""),
        says=("quotas.toml:10:",),
    ),
    Broken(
        name="a mapping that is no TOML",
        make=mapping("[source.fields]", "[source.fields"),
        says=("broken.toml", "line 8"),
    ),
    Broken(
        name="a mapping to a column that is not there",
        make=mapping('email = "email"', 'email = "e_mail"'),
        says=("broken.toml:10:",),
    ),
    Broken(name="no policy", make=settings(policy_dir="/nowhere"), says=("/nowhere",)),
    Broken(name="an odd setting", make=settings(port="eighty"), says=("RECORDGUARD_PORT",)),
    Broken(name="a key that others may read", make=open_key, says=("open.key", "chmod")),
    Broken(
        name="tables that were never made",
        make=lambda folder: {"database_url": f"sqlite:///{folder / 'empty.db'}"},
        says=("guard migrate",),
    ),
    Broken(
        name="a disk that cannot be written",
        make=settings(),
        says=("`ledger.db`", "disk"),
        is_read_only=True,
    ),
)


async def test_a_broken_set_up_is_refused_by_one_line_that_says_where(tmp_path: Path) -> None:
    base = tmp_path / "base"
    await prepare(base)
    size = verified(base)

    def start(broken: Broken) -> str | None:
        folder = tmp_path / broken.name.replace(" ", "-")
        shutil.copytree(base, folder)
        changes: dict[str, object] = {"mapping_file": folder / "crm" / "crm.toml"}
        changes |= broken.make(folder)
        env = environment(folder, **changes)
        code, out, err = refused(env, is_read_only=broken.is_read_only)
        lines = err.strip().splitlines()
        is_said = all(words in err for words in broken.says)
        if (code, out, len(lines)) != (CONFIG, "", 1) or not is_said:
            return f"{broken.name}: exit {code}, {out!r}, {err}"
        return None if verified(folder) == size else f"{broken.name}: the ledger changed"

    faults = [await asyncio.to_thread(start, broken) for broken in BROKEN]
    if any(faults):
        pytest.fail("\n".join(one for one in faults if one))


def verified(folder: Path) -> int:
    """The size of a ledger that holds."""
    loaded = load_settings(environment(folder))
    keyring = open_keyring(loaded)
    with SqlReader(database_url(loaded)) as store, store.read() as view:
        return verify_store(view, EntryVault(keyring), log_signer(keyring, loaded).verifier).size


# A disk that stops taking writes.


NOT_NOW = Bad(name="a full disk", status=503, problem="store-unavailable")


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of a running service, by a limit on the size of that process's files."""

    server: ServeProcess

    def fill(self) -> None:
        """From now on every write of the service fails, its log's too."""
        _, hard = resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (0, hard))

    def empty(self) -> None:
        """Let writes pass again."""
        _, hard = resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.enable_socket
async def test_a_disk_that_stops_taking_writes_stops_views_and_nothing_else(
    tmp_path: Path,
) -> None:
    prepared = await prepare(tmp_path, admit_deadline_s=2, read_deadline_s=5)
    header = prepared.tokens.header(AGENT)
    served: list[int] = []
    with prepared.serve() as server:
        server.start()
        disk = Disk(server)
        async with httpx2.AsyncClient(base_url=server.base_url, timeout=ANSWER_S) as client:

            async def one(n: int) -> httpx2.Response:
                ref = prepared.refs[n % len(prepared.refs)]
                body = {"customer": ref, "purpose": "support_case", "reason": "asked"}
                answer = await client.post("/v1/views", json=body, headers=header)
                if answer.is_success:
                    served.append(answer.json()["receipt"]["index"])
                return answer

            for _ in range(2):
                assert (await one(0)).status_code == 200
                disk.fill()
                for answer in await asyncio.gather(*(one(n) for n in range(8))):
                    assert fault(NOT_NOW, answer) is None
                    assert answer.headers["retry-after"] == "1"
                assert (await client.get("/livez")).json() == {"status": "alive"}
                # Its answer may be a second old.
                await until(client, "/readyz", lambda answer: answer.status_code == 503)
                assert (await client.get("/metrics")).is_success
                disk.empty()
                await until(client, "/readyz", lambda answer: answer.is_success)
                assert (await one(1)).status_code == 200
                checkpoint = "/v1/log/checkpoint"
                await until(client, checkpoint, lambda a: size_of(a) > served[-1], header)
        server.stop()
        assert not any(trace in server.said() for trace in TRACES[:2]), server.said()
    code, out, err = command(["verify"], prepared.env)
    assert code == 0, out + err
    assert views_less_refunds(prepared.settings.data_dir, served) == len(served)


def views_less_refunds(folder: Path, served: list[int]) -> int:
    """How many views count; each that was served must be one."""
    loaded = load_settings(environment(folder))
    with SqlReader(database_url(loaded)) as store, store.read() as view:
        entries = list(opened_entries(view, EntryVault(open_keyring(loaded))))
    views = {entry.index for entry in entries if entry.kind is EntryKind.VIEW}
    assert set(served) <= views
    return len(views) - sum(entry.kind is EntryKind.REFUND for entry in entries)


def size_of(checkpoint: httpx2.Response) -> int:
    return int(checkpoint.text.split("\n")[1])


async def until(
    client: httpx2.AsyncClient,
    path: str,
    is_right: Callable[[httpx2.Response], bool],
    headers: Mapping[str, str] | None = None,
) -> None:
    """Ask until the answer is right: the service recovers without a restart."""
    for _ in range(RECOVERY_TURNS):
        if is_right(await client.get(path, headers=headers)):
            return
        await asyncio.sleep(RECOVERY_S)
    pytest.fail(f"the service did not recover: {path}")
