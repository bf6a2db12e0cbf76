"""One signed POST to a system of the company, and what is known of it afterwards.

The body holds an address or source keys, so nothing of it may reach a log or an error: the client's
loggers are kept quiet and errors name the channel only. A redirect (to whom?) is a refusal, proxies
of the environment are ignored, and of the answer no more is read than an id needs.

Whether it may be repeated is the caller's question, so there are two failures: surely not taken,
and nobody knows. What was answered with 4xx, or never connected, was not taken; a server that
failed or fell silent after it had everything may well have.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe

import httpx2
import msgspec

from guard.clock import Micros, wall_micros
from guard.contacts.signing import signed_headers
from guard.errors import DeliveryUnknownError, NotDeliveredError, SourceError

# Of an answer only its id is of interest.
MAX_ANSWER = 16 * 1024
MAX_ID = 128

_SUCCESS = range(200, 300)
# A server that says so did not take the message: not implemented, out of service.
_SURELY_NOT = frozenset({501, 503})
_SERVER_ERRORS = range(500, 600)


class _Taken(msgspec.Struct):
    """The part of an answer that is read."""

    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostTarget:
    """Where to post and with what key. `name` is what errors call it."""

    name: str
    url: str
    key: bytes
    deadline_s: float


class SignedPost:
    """Posts to one address. `transport` replaces the network in tests."""

    def __init__(
        self,
        target: PostTarget,
        *,
        wall: Callable[[], Micros] = wall_micros,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet."""
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._target, self._wall = target, wall
        self._client = httpx2.AsyncClient(
            headers={"content-type": "application/json", "accept-encoding": "identity"},
            # A connection that does not come up is known to have carried nothing; it must be
            # known before the whole deadline ends in not knowing.
            timeout=httpx2.Timeout(target.deadline_s, connect=target.deadline_s / 2),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def send(self, payload: Mapping[str, object]) -> str:
        """Post `payload`; the receiver's id of it, or ours where it gives none.

        Raises:
            NotDeliveredError: It was surely not taken.
            DeliveryUnknownError: It may have been taken.
        """
        message_id = "msg_" + token_urlsafe(16)
        body = msgspec.json.encode(payload)
        headers = signed_headers(self._target.key, message_id, self._wall(), body)
        failure: SourceError
        try:
            async with asyncio.timeout(self._target.deadline_s):
                return await self._post(body, headers) or message_id
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            failure = NotDeliveredError(f"`{self._target.name}` cannot be reached, try again")
        except (TimeoutError, httpx2.HTTPError, httpx2.StreamError):
            failure = self._unknown("did not answer")
        # Raised out here, so that no exception with an address or a body hangs on to it.
        raise failure

    async def close(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    async def _post(self, body: bytes, headers: dict[str, str]) -> str:
        async with self._client.stream(
            "POST", self._target.url, content=body, headers=headers
        ) as answer:
            status = answer.status_code
            if status in _SUCCESS:
                return await _id_in(answer)
        if status in _SERVER_ERRORS and status not in _SURELY_NOT:
            raise self._unknown(f"answered with status {status}")
        raise NotDeliveredError(
            f"`{self._target.name}` answered with status {status}, see its own log"
        )

    def _unknown(self, what: str) -> DeliveryUnknownError:
        return DeliveryUnknownError(
            f"`{self._target.name}` {what}: it may have been taken, look before you repeat it"
        )


async def _id_in(answer: httpx2.Response) -> str:
    """The id in a JSON answer; "" where there is none: what was taken was taken."""
    body = bytearray()
    try:
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > MAX_ANSWER:
                return ""
        found = msgspec.json.decode(bytes(body), type=_Taken).id
    except (httpx2.HTTPError, httpx2.StreamError, ValueError, RecursionError):
        return ""
    return found if found.isascii() and found.isprintable() and len(found) <= MAX_ID else ""
