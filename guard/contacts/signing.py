"""Signatures of the webhooks that leave, as Standard Webhooks lays them down.

The receiver gets `webhook-id`, `webhook-timestamp` and `webhook-signature`, checks HMAC-SHA256 of
`id.timestamp.body` under the shared secret, refuses what is old, and knows a repeat by its id.
"""

import base64
import binascii
from hmac import digest

from guard.clock import SECOND, Micros

PREFIX = "whsec_"
# What the specification asks of a secret.
MIN_SECRET, MAX_SECRET = 24, 64


def parse_secret(text: str) -> bytes | None:
    """The key in `whsec_<base64>`; None: it is not one."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if MIN_SECRET <= len(key) <= MAX_SECRET else None


def signed_headers(key: bytes, message_id: str, at: Micros, body: bytes) -> dict[str, str]:
    """The three headers of one message; `at` is real time."""
    seconds = str(at // SECOND)
    signed = digest(key, b".".join((message_id.encode(), seconds.encode(), body)), "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
