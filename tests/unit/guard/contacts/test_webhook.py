import json

import httpx2
import pytest

from guard.contacts.signed_post import PostTarget, SignedPost
from guard.contacts.webhook import WebhookChannel
from guard.ports import Message

pytestmark = pytest.mark.anyio


async def test_the_receiver_learns_whom_to_call_for_whom_and_under_which_reference() -> None:
    seen: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.content)
        return httpx2.Response(200)

    target = PostTarget(name="call", url="https://cti.example.com", key=bytes(32), deadline_s=5.0)
    channel = WebhookChannel("call", SignedPost(target, transport=httpx2.MockTransport(answer)))
    await channel.deliver("+34612345678", Message(sender="u17", reference="r1"))
    await channel.close()
    assert [json.loads(body) for body in seen] == [
        {
            "channel": "call",
            "to": "+34612345678",
            "reference": "r1",
            "sender": "u17",
            "subject": "",
            "text": "",
        }
    ]
