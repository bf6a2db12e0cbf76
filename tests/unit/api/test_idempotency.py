import asyncio
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from api.idempotency import USE, Replies
from api.problems import KeyReusedError
from guard.errors import ConflictError, InvalidRequestError
from guard.principals import Principal
from guard.vault.keyring import Keyring
from tests.unit.api.fakes import TENANT, World

CASE = {"customer": "ref-1", "channel": "call", "opened_at": "2026-09-21T10:00:00Z"}


def test_a_repeated_change_happens_once(world: World, client: TestClient) -> None:
    headers = world.bearer("adm") | {"idempotency-key": "k1"}
    first = client.put("/v1/cases/c1", json=CASE, headers=headers)
    second = client.put("/v1/cases/c1", json=CASE, headers=headers)
    assert first.json() == second.json()
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["idempotency-replayed"] == "true"
    assert len(world.cases.puts) == 1


def test_the_same_key_with_another_request_is_refused(world: World, client: TestClient) -> None:
    headers = world.bearer("adm") | {"idempotency-key": "k1"}
    client.put("/v1/cases/c1", json=CASE, headers=headers)
    for path, body in (("/v1/cases/c1", CASE | {"channel": "chat"}), ("/v1/cases/c2", CASE)):
        answer = client.put(path, json=body, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("/idempotency-key-reused")


def test_a_key_belongs_to_one_caller(world: World, client: TestClient) -> None:
    body = {"vendor": "", "mode": "observe"}
    for name in ("adm", "ana"):
        headers = world.bearer(name) | {"idempotency-key": "k1"}
        assert client.put("/v1/modes", json=body, headers=headers).status_code == 200
    assert len(world.modes.rows) == 2


def test_a_failed_change_is_not_kept(world: World, client: TestClient) -> None:
    world.cases.failure = ConflictError("it is in another state")
    headers = world.bearer("adm") | {"idempotency-key": "k1"}
    assert client.put("/v1/cases/bad", json=CASE, headers=headers).status_code == 409
    assert world.memory.replies == {}


def test_a_view_is_never_answered_from_memory(world: World, client: TestClient) -> None:
    headers = world.bearer("u17") | {"idempotency-key": "k1"}
    for _ in range(2):
        client.post("/v1/views", json={"customer": "r", "purpose": "support_case"}, headers=headers)
    assert len(world.broker.asked) == 2
    assert world.memory.replies == {}


def test_no_body_can_be_guessed_from_what_is_kept(world: World, client: TestClient) -> None:
    headers = world.bearer("adm") | {"idempotency-key": "k1"}
    body = json.dumps(CASE).encode()
    headers |= {"content-type": "application/json"}
    assert client.put("/v1/cases/c1", content=body, headers=headers).is_success
    ((kept, _, _),) = world.memory.replies.values()
    head = b"PUT\0/v1/cases/c1\0\0"
    assert kept != hashlib.sha256(head + body).digest()
    assert kept == hmac.digest(world.keyring.derived(TENANT, USE), head + body, "sha256")


@pytest.mark.anyio
async def test_two_at_once_run_one_after_the_other(world: World) -> None:
    replies = Replies(world.committer, world.readers, world.clock, world.keyring)
    principal = await principal_of(world)
    runs: list[str] = []

    async def act() -> Response:
        runs.append("in")
        await asyncio.sleep(0)
        runs.append("out")
        return JSONResponse({})

    await asyncio.gather(*(replies.once(request("k", b"x"), principal, act) for _ in range(5)))
    assert runs == ["in", "out"]
    with pytest.raises(KeyReusedError):
        await replies.once(request("k", b"y"), principal, act)


@pytest.mark.anyio
async def test_a_request_is_known_again_after_a_restart(world: World, tmp_path: Path) -> None:
    principal = await principal_of(world)
    runs: list[str] = []

    async def act() -> Response:
        runs.append("in")
        return JSONResponse({"n": len(runs)})

    for _ in range(2):
        keyring = Keyring.open((tmp_path / "root.key").as_uri(), tmp_path / "keyring.json")
        replies = Replies(world.committer, world.readers, world.clock, keyring)
        answer = await replies.once(request("k", b"x"), principal, act)
        assert answer.body == b'{"n":1}'
    assert runs == ["in"]


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["", "x" * 129, "a\tb", "é"])
async def test_a_key_without_a_usable_form_is_refused(world: World, key: str) -> None:
    replies = Replies(world.committer, world.readers, world.clock, world.keyring)
    principal = await principal_of(world)

    async def act() -> Response:
        return JSONResponse({})

    with pytest.raises(InvalidRequestError):
        await replies.once(request(key, b""), principal, act)


@pytest.mark.anyio
async def test_the_key_of_a_form_counts_and_no_header_beside_it(world: World) -> None:
    replies = Replies(world.committer, world.readers, world.clock, world.keyring)
    principal = await principal_of(world)
    runs: list[str] = []

    async def act() -> Response:
        runs.append("in")
        return JSONResponse({})

    for header in ("k", "other"):
        await replies.once(request(header, b"x"), principal, act, "key-of-the-form")
    assert runs == ["in"]
    with pytest.raises(InvalidRequestError):
        await replies.once(request("k", b"x"), principal, act, "")


async def principal_of(world: World) -> Principal:
    ticket = await world.credentials.mint_ticket(TENANT, "adm")
    found = await world.credentials.sessions.find(await world.credentials.sessions.sign_in(ticket))
    return found.principal


def request(key: str, body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/x",
        "query_string": b"",
        "scheme": "http",
        "server": ("here", 80),
        "headers": [(b"idempotency-key", key.encode("latin-1"))],
    }
    return Request(scope, receive)
