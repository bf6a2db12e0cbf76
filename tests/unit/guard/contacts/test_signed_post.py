"""What is known after a POST; real connections are the contracts' business."""

import json
from collections.abc import Callable

import httpx2
import pytest

from guard.contacts.signed_post import MAX_ANSWER, PostTarget, SignedPost
from guard.contacts.signing import signed_headers
from guard.errors import DeliveryUnknownError, NotDeliveredError, SourceError
from tests.support.makers import NOON

pytestmark = pytest.mark.anyio

KEY = bytes(32)
Handler = Callable[[httpx2.Request], httpx2.Response]


def post(handler: Handler) -> SignedPost:
    target = PostTarget(name="call", url="https://cti.example.com/calls", key=KEY, deadline_s=5.0)
    return SignedPost(target, wall=lambda: NOON, transport=httpx2.MockTransport(handler))


async def test_the_body_is_json_and_signed() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(202, json={"id": "call-7", "more": 1})

    client = post(answer)
    assert await client.send({"to": "+34612345678"}) == "call-7"
    await client.close()
    (request,) = seen
    assert json.loads(request.content) == {"to": "+34612345678"}
    expected = signed_headers(KEY, request.headers["webhook-id"], NOON, request.content)
    assert {name: request.headers[name] for name in expected} == expected
    assert "612345678" not in str(request.url)


@pytest.mark.parametrize(
    "body",
    [b"", b"taken", b"[]", b'{"id": 7}', b'{"id": "a\\nb"}', b"x" * (MAX_ANSWER + 1), b"[" * 9000],
)
async def test_what_was_taken_was_taken_whatever_the_answer_says(body: bytes) -> None:
    found = await post(lambda _: httpx2.Response(200, content=body)).send({})
    assert found.startswith("msg_")


async def test_an_answer_that_breaks_off_was_an_answer() -> None:
    async def broken() -> object:
        yield b'{"id": '
        raise httpx2.ReadError("to +34612345678")

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=broken())  # type: ignore[arg-type] # an iterator of bytes

    assert (await post(answer).send({})).startswith("msg_")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, NotDeliveredError),
        (307, NotDeliveredError),
        (400, NotDeliveredError),
        (429, NotDeliveredError),
        (501, NotDeliveredError),
        (503, NotDeliveredError),
        (500, DeliveryUnknownError),
        (502, DeliveryUnknownError),
        (504, DeliveryUnknownError),
    ],
)
async def test_an_answer_says_whether_it_may_have_been_taken(
    status: int, kind: type[SourceError]
) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"location": "http://10.0.0.1/"}, text="to +34612")

    with pytest.raises(kind) as caught:
        await post(answer).send({"to": "+34612345678"})
    assert type(caught.value) is kind
    assert "34612" not in str(caught.value)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx2.ConnectError("to +34612345678"), NotDeliveredError),
        (httpx2.ConnectTimeout("to +34612345678"), NotDeliveredError),
        (httpx2.ReadTimeout("to +34612345678"), DeliveryUnknownError),
        (httpx2.RemoteProtocolError("to +34612345678"), DeliveryUnknownError),
        (TimeoutError(), DeliveryUnknownError),
    ],
)
async def test_a_connection_that_never_was_carried_nothing(
    failure: Exception, kind: type[SourceError]
) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise failure

    with pytest.raises(kind) as caught:
        await post(answer).send({})
    assert caught.value.__context__ is None
    assert "612" not in str(caught.value)
