import base64
import json
from hmac import digest

import pytest

from guard.errors import SourceError
from guard.sinks.sink import Event
from guard.sinks.webhook import WebhookSink
from tests.support.sinks import Manner, Sink, http_sink

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
KEY = bytes(range(32))
EVENTS = [Event("aa", b'{"id":"aa"}\n'), Event("bb", b'{"id":"bb"}')]


def made(port: int, deadline_s: float = 20) -> WebhookSink:
    url = f"http://127.0.0.1:{port}/events"
    return WebhookSink(
        "bus", url, key=KEY, deadline_s=deadline_s, wall=lambda: 1_700_000_000_000_000
    )


def parsed(receiver: Sink) -> tuple[dict[str, str], bytes]:
    head, _, body = receiver.received[-1].partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    return {name.lower(): value for name, value in lines}, body


async def test_a_batch_is_signed_and_named_by_its_events() -> None:
    with http_sink() as receiver:
        sink = made(receiver.port)
        await sink.deliver(EVENTS)
        await sink.deliver(EVENTS)
        await sink.close()
        headers, body = parsed(receiver)
    assert [one["id"] for one in json.loads(body)] == ["aa", "bb"]
    assert headers["content-type"].startswith("application/cloudevents-batch+json")
    assert headers["webhook-id"] == "evt_aa_bb"
    signed = b".".join((b"evt_aa_bb", headers["webhook-timestamp"].encode(), body))
    expected = "v1," + base64.b64encode(digest(KEY, signed, "sha256")).decode()
    assert headers["webhook-signature"] == expected


@pytest.mark.parametrize(
    "manner", [Manner.REFUSES, Manner.FAILS, Manner.REDIRECTS, Manner.CLOSES, Manner.STALLS]
)
async def test_anything_but_a_yes_is_not_taken(manner: Manner) -> None:
    with http_sink() as receiver:
        receiver.manner = manner
        sink = made(receiver.port, deadline_s=0.3 if manner is Manner.STALLS else 20)
        with pytest.raises(SourceError) as caught:
            await sink.deliver(EVENTS)
        await sink.close()
    assert caught.value.__context__ is None


async def test_nobody_there_is_not_taken() -> None:
    with http_sink() as receiver:
        port = receiver.port
    sink = made(port, deadline_s=2)
    with pytest.raises(SourceError):
        await sink.deliver(EVENTS)
    await sink.close()
