import asyncio
import contextlib
import os
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest
from starlette.testclient import TestClient
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from api.witness import REQUEST_S, ImpatientProtocol, create_witness, server_config
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.merkle import EMPTY_ROOT, tree_root
from guard.ledger.note import open_note
from guard.ledger.witness import MAX_REQUEST, SIZE_TYPE, TEXT_TYPE, Witness, begin_memory
from tests.support.witnesses import NOW, make_signer

LOG, SIGNER = make_signer("example.com/log", 1), make_signer("w.example/1", 2)
HASH = sha256(b"example.com/log").hexdigest()
NOTE = sign_checkpoint(Checkpoint("example.com/log", 1, tree_root([bytes(32)])), LOG)
FORK = sign_checkpoint(Checkpoint("example.com/log", 1, tree_root([bytes(31) + b"x"])), LOG)
EMPTY = sign_checkpoint(Checkpoint("example.com/log", 0, EMPTY_ROOT), LOG)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    begin_memory(tmp_path / "seen.json")
    return Witness(SIGNER, {"example.com/log": LOG.verifier}, tmp_path / "seen.json")


@pytest.fixture
def client(witness: Witness) -> TestClient:
    return TestClient(create_witness(witness, prefix="/w", wall=lambda: NOW))


def test_a_witness_answers_as_the_standard_says(client: TestClient) -> None:
    answer = client.post("/w/add-checkpoint", content=b"old 0\n\n" + NOTE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TEXT_TYPE)
    assert open_note(NOTE + answer.content, [SIGNER.cosigner])
    for body, status in (
        (b"old 0\n\n" + NOTE, 409),
        (b"old 1\n\n" + FORK, 409),
        (b"old 1\n\n" + NOTE, 200),
        (b"old 2\n\n" + NOTE, 400),
        (b"", 400),
        (b"old 1\n\n" + NOTE.replace(b"example.com/log\n1", b"example.com/lag\n1"), 404),
        (b"old 1\n\n" + NOTE.replace(b"log\n1\n", b"log\n2\n"), 403),
        (b"old 1\nAAAA\n\n" + NOTE, 422),
    ):
        answer = client.post("/w/add-checkpoint", content=body)
        assert answer.status_code == status, body
        if status == 409:
            assert (answer.headers["content-type"], answer.content) == (SIZE_TYPE, b"1\n")


def test_monitors_see_what_was_cosigned(client: TestClient) -> None:
    assert client.get(f"/w/{HASH}/checkpoint").status_code == 404
    cosigned = client.post("/w/add-checkpoint", content=b"old 0\n\n" + NOTE).content
    shown = client.get(f"/w/{HASH}/checkpoint")
    assert shown.content == NOTE + cosigned
    assert shown.headers["cache-control"] == "no-cache"
    assert client.get("/w/livez").status_code == 200
    assert client.get("/w/add-checkpoint").status_code == 405
    assert client.get("/livez").status_code == 404


def test_a_body_is_not_read_beyond_its_bound(client: TestClient) -> None:
    answer = client.post("/w/add-checkpoint", content=b"x" * (MAX_REQUEST + 1))
    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"


def test_what_cannot_be_remembered_is_not_cosigned(
    client: TestClient, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    def lose(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        answer = client.post("/w/add-checkpoint", content=b"old 0\n\n" + NOTE)
    assert answer.status_code == 500
    assert b"space" not in answer.content
    assert witness.size_of("example.com/log") == 0
    assert client.post("/w/add-checkpoint", content=b"old 0\n\n" + EMPTY).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lose)
        client.post("/w/add-checkpoint", content=b"old 0\n\n" + NOTE)
    assert client.post("/w/add-checkpoint", content=b"old 0\n\n" + EMPTY).status_code == 500


@pytest.mark.anyio
@pytest.mark.enable_socket
async def test_a_client_that_sends_no_whole_request_is_hung_up_on(witness: Witness) -> None:
    assert ImpatientProtocol.request_s == REQUEST_S
    config = server_config(create_witness(witness, wall=lambda: NOW), request_s=0.3)
    config.load()
    protocol, state = cast("type[HttpToolsProtocol]", config.http_protocol_class), ServerState()
    loop = asyncio.get_running_loop()
    serving = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with asyncio.timeout(30), serving:
        port = serving.sockets[0].getsockname()[1]
        for begun in (
            b"",
            b"POST /add-che",
            b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 50\r\n\r\nold",
            # A whole request, and then the beginning of another.
            b"GET /livez HTTP/1.1\r\nhost: w\r\n\r\nGET /li",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            try:
                answer = await reader.read()
            except ConnectionResetError:
                answer = b""
            assert (b"200 OK" in answer) is begun.startswith(b"GET")
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
