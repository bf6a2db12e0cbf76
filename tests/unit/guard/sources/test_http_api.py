import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from guard.errors import SourceError
from guard.sources import HttpSource
from guard.sources.mapping import HttpMapping, parse_mapping

SECRET = "zq-body-canary"  # noqa: S105 - what must not show

TOML = """
[[source]]
name = "api"
kind = "http"
base_url = "https://crm.example/v1"
path = "/customers/{key}"
check_path = "/health"
fields_param = "fields"
key_field = "id"
max_bytes = 1024
[source.fields]
plan = "account.plan"
city = "city"
"""

Answer = Callable[[httpx2.Request], httpx2.Response]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def mapping(toml: str = TOML) -> HttpMapping:
    found = parse_mapping(toml.encode(), "m.toml").sources[0]
    assert isinstance(found, HttpMapping)
    return found


def serving(answer: Answer, toml: str = TOML, token: str | None = None) -> HttpSource:
    return HttpSource(mapping(toml), token=token, transport=httpx2.MockTransport(answer))


def giving(status: int = 200, **answer: object) -> Answer:
    return lambda _: httpx2.Response(status, json={"id": "7", **answer})


BOTH = frozenset({"plan", "city"})


async def test_the_request_names_the_customer_the_fields_and_the_token() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"id": "a b&é", "account": {"plan": "gold"}})

    source = serving(answer, token="t0ken")  # noqa: S106 - a test's
    record = await source.fetch("a b&é", frozenset({"plan"}))
    assert record is not None
    assert record.values == {"plan": "gold"}
    (request,) = seen
    assert request.url.raw_path == b"/v1/customers/a%20b%26%C3%A9?fields=account.plan%2Cid"
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.method == "GET"
    await source.close()


async def test_without_a_token_or_a_parameter_for_fields_neither_is_sent() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"city": "Bonn", "more": SECRET})

    toml = TOML.replace('fields_param = "fields"\n', "").replace('key_field = "id"\n', "")
    source = serving(answer, toml)
    record = await source.fetch("7", BOTH)
    assert record is not None
    assert record.values == {"city": "Bonn"}
    assert seen[0].url.query == b""
    assert "authorization" not in seen[0].headers
    await source.close()


async def test_values_that_are_not_there_are_absent_and_null_is_null() -> None:
    source = serving(giving(account={}, city=None))
    record = await source.fetch("7", BOTH)
    assert record is not None
    assert record.values == {"city": None}
    await source.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (giving(500, city=SECRET), "answered with status 500"),
        (giving(302, city=SECRET), "answered with status 302"),
        (giving(204), "answered with status 204"),
        (giving(401, detail=SECRET), "answered with status 401"),
        (giving(id="8", city=SECRET), "answered with another customer's record"),
        (giving(account=SECRET), "answered in an unknown shape"),
        (giving(account=None), "answered in an unknown shape"),
        (giving(city=SECRET * 100), "answered with more than 1024 bytes"),
        (lambda _: httpx2.Response(200, text=SECRET), "something that is not JSON"),
        (lambda _: httpx2.Response(200, json=[SECRET]), "something that is not a JSON object"),
        (
            lambda _: httpx2.Response(
                200, content=b"{" + SECRET.encode(), headers={"content-type": "application/json"}
            ),
            "something that is not a JSON object",
        ),
        (
            lambda _: httpx2.Response(
                200, content=b"[" * 1000, headers={"content-type": "application/json"}
            ),
            "something that is not a JSON object",
        ),
        (
            lambda _: httpx2.Response(
                200,
                content=b"no gzip " + SECRET.encode(),
                headers={"content-type": "application/json", "content-encoding": "gzip"},
            ),
            "could not be read (DecodingError)",
        ),
    ],
    ids=[
        "server error",
        "redirect",
        "no content",
        "unauthorised",
        "another customer",
        "text for an object",
        "null for an object",
        "too long",
        "text",
        "list",
        "broken JSON",
        "deep JSON",
        "broken encoding",
    ],
)
async def test_any_other_answer_is_an_error_that_never_holds_it(answer: Answer, told: str) -> None:
    source = serving(answer)
    with pytest.raises(SourceError) as caught:
        await source.fetch("7", BOTH)
    assert told in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__
    await source.close()


@pytest.mark.parametrize("failure", [httpx2.ConnectError, httpx2.ConnectTimeout])
async def test_a_connection_that_fails_is_tried_once_more(failure: type[Exception]) -> None:
    tries: list[str] = []

    def flaky(request: httpx2.Request) -> httpx2.Response:
        tries.append(request.url.path)
        if len(tries) == 1:
            raise failure(SECRET)
        return giving(city="Bonn")(request)

    source = serving(flaky)
    assert await source.fetch("7", BOTH) is not None
    assert len(tries) == 2
    await source.close()


@pytest.mark.parametrize(
    ("failure", "times"),
    [(httpx2.ConnectError, 2), (httpx2.ReadTimeout, 1), (httpx2.RemoteProtocolError, 1)],
)
async def test_a_connection_that_keeps_failing_is_an_error(
    failure: type[Exception], times: int
) -> None:
    tries: list[str] = []

    def down(request: httpx2.Request) -> httpx2.Response:
        tries.append(request.url.path)
        raise failure(SECRET)

    source = serving(down)
    with pytest.raises(SourceError) as caught:
        await source.fetch("7", BOTH)
    assert f"could not be read ({failure.__name__})" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(tries) == times
    await source.close()


class Hanging(httpx2.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError(request.method)


async def test_an_api_that_hangs_is_an_error_in_time() -> None:
    toml = TOML.replace("max_bytes", "deadline_ms = 30\nmax_bytes")
    source = HttpSource(mapping(toml), token=None, transport=Hanging())
    with pytest.raises(SourceError, match=r"`api` did not answer within 0\.03 s"):
        await source.fetch("7", BOTH)
    await source.close()


@pytest.mark.parametrize("status", [200, 204, 401, 404])
async def test_any_answer_but_a_servers_error_passes_the_check(status: int) -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path)
        return httpx2.Response(status, json={})

    source = serving(answer)
    await source.check()
    assert seen == ["/v1/health"]
    await source.close()


async def test_a_servers_error_fails_the_check() -> None:
    source = serving(giving(503))
    with pytest.raises(SourceError, match="status 503"):
        await source.check()
    await source.close()


async def test_keys_that_could_lead_elsewhere_are_nobody() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(request.url.path)

    source = serving(answer)
    for key in ("", ".", "..", "a/b", "a\\b", "a\nb", "x" * 257):
        assert await source.fetch(key, BOTH) is None
    await source.close()


@pytest.fixture
async def asgi() -> AsyncIterator[HttpSource]:
    async def app(scope: dict[str, object], _receive: object, send: Callable[..., object]) -> None:
        body = json.dumps({"id": 7, "city": str(scope["path"])}).encode()
        headers = [(b"content-type", b"application/json")]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)  # type: ignore[misc]  # an ASGI callable is awaitable
        await send({"type": "http.response.body", "body": body})  # type: ignore[misc]  # as above

    source = HttpSource(mapping(), token=None, transport=httpx2.ASGITransport(app))  # type: ignore[arg-type]  # as above
    yield source
    await source.close()


async def test_a_real_application_is_read(asgi: HttpSource) -> None:
    record = await asgi.fetch("7", BOTH)
    assert record is not None
    assert record.values == {"city": "/v1/customers/7"}
