import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from api.identity.jwks import (
    FRESH_S,
    MAX_BYTES,
    RETRY_S,
    FetchedKeys,
    FixedKeys,
    Key,
    http_fetch,
    parse,
)
from guard.errors import ConfigurationError, UnavailableError


def document(*kids: str) -> bytes:
    keys = [ECKey.generate_key("P-256").as_dict(private=False) | {"kid": kid} for kid in kids]
    return json.dumps({"keys": keys}).encode()


class Issuer:
    def __init__(self, content: bytes | Exception) -> None:
        self.content, self.asked = content, 0

    async def fetch(self) -> bytes:
        self.asked += 1
        # Whoever else asks meanwhile has to wait for this answer.
        await asyncio.sleep(0)
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


class Watch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.anyio
async def test_keys_are_fetched_once_while_they_are_fresh() -> None:
    issuer, watch = Issuer(document("a")), Watch()
    keys = FetchedKeys(issuer.fetch, watch)
    assert await keys.find("a") is not None
    watch.at = FRESH_S - 1
    assert await keys.find("a") is not None
    assert issuer.asked == 1
    watch.at = FRESH_S
    await keys.find("a")
    assert issuer.asked == 2


@pytest.mark.anyio
async def test_a_flood_of_unknown_keys_asks_once_in_a_while() -> None:
    issuer, watch = Issuer(document("a")), Watch()
    keys = FetchedKeys(issuer.fetch, watch)
    for n in range(100):
        assert await keys.find(f"invented-{n}") is None
    assert issuer.asked == 1
    watch.at = RETRY_S
    issuer.content = document("a", "rotated")
    assert await keys.find("rotated") is not None


@pytest.mark.anyio
@pytest.mark.parametrize("content", [OSError("down"), b"<html>", b"{}", b"[]"])
async def test_old_keys_stay_in_use_while_the_issuer_is_down(content: bytes | Exception) -> None:
    issuer, watch = Issuer(document("a")), Watch()
    keys = FetchedKeys(issuer.fetch, watch)
    await keys.find("a")
    issuer.content = content
    watch.at = FRESH_S + RETRY_S
    assert await keys.find("a") is not None


@pytest.mark.anyio
async def test_without_any_keys_nothing_is_verified() -> None:
    keys = FetchedKeys(Issuer(OSError("down")).fetch, Watch())
    with pytest.raises(UnavailableError):
        await keys.find("a")


def test_weak_and_unfit_keys_are_left_out() -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, auto_kid=True).as_dict(private=False)
    encrypting = ECKey.generate_key("P-256").as_dict(private=False) | {"kid": "e", "use": "enc"}
    curve = ECKey.generate_key("P-384").as_dict(private=False) | {"kid": "c"}
    broken = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "b"}
    assert parse(json.dumps({"keys": [weak, encrypting, curve, broken, 7, {}]}).encode()) == {}


def test_a_key_file_that_holds_nothing_usable_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    for content in (b"", b"{}", b'{"keys": []}'):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="RECORDGUARD_JWKS_FILE"):
            FixedKeys.from_file(path)
    with pytest.raises(ConfigurationError):
        FixedKeys.from_file(tmp_path / "absent.json")


@pytest.mark.anyio
async def test_a_key_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(document("a"))
    keys = FixedKeys.from_file(path)
    assert await keys.find("a") is not None
    assert await keys.find("b") is None


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers)
    return "\r\n".join((*lines, "", "")).encode() + body


@pytest.mark.anyio
@pytest.mark.enable_socket
async def test_keys_come_over_http() -> None:
    async with answering(http("200 OK", document("a"))) as url:
        assert await FetchedKeys(http_fetch(url), Watch()).find("a") is not None


@pytest.mark.anyio
@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http("302 Found", b"", "location: http://127.0.0.1:1/"), id="redirect"),
        pytest.param(http("500 Oops", document("a")), id="failure"),
        pytest.param(http("200 OK", b" " * MAX_BYTES + document("a")), id="too large"),
        pytest.param(b"rubbish\r\n\r\n", id="no http"),
    ],
)
async def test_an_address_that_misbehaves_gives_no_keys(answer: bytes) -> None:
    async with answering(answer) as url:
        with pytest.raises(UnavailableError):
            await FetchedKeys(http_fetch(url), Watch()).find("a")


@pytest.mark.anyio
async def test_many_who_ask_at_once_share_one_fetch() -> None:
    issuer = Issuer(document("a"))
    keys = FetchedKeys(issuer.fetch, Watch())
    found = await asyncio.gather(*(keys.find("a") for _ in range(10)))
    assert None not in found
    assert issuer.asked == 1


@pytest.mark.anyio
async def test_whoever_comes_with_a_new_key_waits_for_the_fetch_that_brings_it() -> None:
    issuer, watch = Issuer(document("a")), Watch()
    keys = FetchedKeys(issuer.fetch, watch)
    await keys.find("a")
    issuer.content = document("a", "rotated")
    watch.at = RETRY_S
    found = await asyncio.gather(*(keys.find("rotated") for _ in range(3)))
    assert None not in found


@pytest.mark.anyio
async def test_a_known_key_does_not_wait_for_a_fetch() -> None:
    issuer, watch = Issuer(document("a")), Watch()
    keys = FetchedKeys(issuer.fetch, watch)
    await keys.find("a")
    watch.at = RETRY_S
    finished: list[str] = []

    async def find(kid: str) -> None:
        await keys.find(kid)
        finished.append(kid)

    await asyncio.gather(find("invented"), find("a"))
    assert finished == ["a", "invented"]


@pytest.mark.anyio
async def test_an_empty_set_does_not_take_the_keys_away() -> None:
    issuer, watch = Issuer(document("a")), Watch()
    keys = FetchedKeys(issuer.fetch, watch)
    await keys.find("a")
    issuer.content = b'{"keys": []}'
    watch.at = FRESH_S
    assert await keys.find("a") is not None


def test_each_kind_of_key_that_tokens_may_be_signed_with_is_read() -> None:
    made: dict[str, Key] = {
        "ec": ECKey.generate_key("P-256"),
        "ed": OKPKey.generate_key("Ed25519"),
        "rsa": RSAKey.generate_key(2048),
    }
    listed = [key.as_dict(private=False) | {"kid": kid} for kid, key in made.items()]
    assert parse(json.dumps({"keys": listed}).encode()).keys() == made.keys()


@pytest.mark.parametrize("modulus", ["!", "", 7, None])
def test_a_key_whose_size_cannot_be_told_is_left_out(modulus: object) -> None:
    key = {"kty": "RSA", "e": "AQAB", "n": modulus, "kid": "r"}
    assert parse(json.dumps({"keys": [key]}).encode()) == {}
