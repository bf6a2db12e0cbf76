"""The way to witnesses and time-stamping authorities, which the operator names.

Nothing that a request brings along can make the service call an address. Redirects are not
followed, proxies of the environment are ignored, answers are bounded in size and time. What is
sent, hashes and signatures, is public.
"""

import asyncio
import logging
from urllib.parse import urlsplit

import httpx2

from guard.errors import ConfigurationError, UnavailableError
from guard.ports import OutsideReply

# Two ML-DSA-44 cosignatures or a token with a chain of certificates.
MAX_ANSWER = 64 * 1024
# Whoever waits has a shorter deadline of its own; this one gives connections back.
DEADLINE_S = 10.0


def check_address(url: str, where: str) -> str:
    """An address that the service may call.

    Raises:
        ConfigurationError: It is none; the message says `where` it stands.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(f"{where}: not an http or https address without a query")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{where}: an address must not hold a password")
    return url


class HttpOutsideClient:
    """`guard.ports.OutsideClient` over HTTP. `transport` replaces the network in tests."""

    def __init__(self, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """Prepare a client; nothing is sent yet."""
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = httpx2.AsyncClient(
            headers={"accept-encoding": "identity", "user-agent": "recordguard"},
            timeout=httpx2.Timeout(DEADLINE_S),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def post(self, url: str, content: bytes, content_type: str) -> OutsideReply:
        """See `OutsideClient.post`."""
        return await self._send("POST", url, content, {"content-type": content_type})

    async def get(self, url: str) -> OutsideReply:
        """See `OutsideClient.get`."""
        return await self._send("GET", url, None, {})

    async def close(self) -> None:
        """See `OutsideClient.close`."""
        await self._client.aclose()

    async def _send(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str]
    ) -> OutsideReply:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(DEADLINE_S),
                self._client.stream(method, url, content=content, headers=headers) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER:
                        break
                status = answer.status_code
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError):
            raise UnavailableError("nobody answers at that address, try again") from None
        if len(body) > MAX_ANSWER:
            raise UnavailableError("the answer is too large, ask its operator")
        return OutsideReply(status, bytes(body))
