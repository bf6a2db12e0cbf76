import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from api import outside_client as module
from api.outside_client import MAX_ANSWER, HttpOutsideClient, check_address
from guard.errors import ConfigurationError, UnavailableError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server(httpx2.AsyncBaseTransport):
    """Answers as the test said, and keeps what was asked."""

    def __init__(self, answer: httpx2.Response | Exception | None) -> None:
        self.answer, self.asked = answer, list[tuple[str, str, bytes]]()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        self.asked.append((request.method, str(request.url), body))
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


async def test_what_is_answered_comes_back() -> None:
    server = Server(httpx2.Response(409, content=b"7\n"))
    client = HttpOutsideClient(transport=server)
    reply = await client.post("http://w/add-checkpoint", b"old 0\n", "text/plain")
    assert (reply.status, reply.body) == (409, b"7\n")
    assert server.asked == [("POST", "http://w/add-checkpoint", b"old 0\n")]
    await client.close()


async def test_a_redirect_is_not_followed() -> None:
    server = Server(httpx2.Response(302, headers={"location": "http://169.254.169.254/"}))
    client = HttpOutsideClient(transport=server)
    assert (await client.get("http://w/x/checkpoint")).status == 302
    assert len(server.asked) == 1
    await client.close()


async def chunks() -> AsyncIterator[bytes]:
    while True:
        yield bytes(MAX_ANSWER)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.ConnectError("http://w/secret"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("odd"),
        httpx2.Response(200, content=chunks()),
        None,
    ],
    ids=["down", "slow", "odd", "endless", "silent"],
)
async def test_no_good_answer_is_none_and_names_no_address(
    answer: httpx2.Response | Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.05 if answer is None else 10.0)
    client = HttpOutsideClient(transport=Server(answer))
    with pytest.raises(UnavailableError) as caught:
        await client.post("http://w/secret", b"", "text/plain")
    assert "secret" not in str(caught.value)
    await client.close()


@pytest.mark.parametrize("url", ["https://w.example/1", "http://10.0.0.7:8090", "http://[::1]:1/x"])
async def test_an_address_of_the_operator_may_be_called(url: str) -> None:
    assert check_address(url, "file") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "w.example",
        "ftp://w",
        "file:///etc/passwd",
        "http://",
        "http://u:p@w",
        "http://w?x",
        "http://w#x",
    ],
)
async def test_what_is_no_address_names_where_it_stands(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^trust file"):
        check_address(url, "trust file")
