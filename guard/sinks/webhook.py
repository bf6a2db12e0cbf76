"""A webhook that takes CloudEvents in batches, signed as Standard Webhooks lays down.

`webhook-id` names the first and the last event of a batch, so a batch that is sent again has the
id that it had; and each event in it has the id of its entry, which is what a receiver goes by.
A redirect is a refusal, proxies of the environment are ignored, and no answer is read.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence

import httpx2

from guard.clock import Micros, wall_micros
from guard.contacts.signing import signed_headers
from guard.errors import DeliveryUnknownError, NotDeliveredError, SourceError
from guard.sinks.sink import Event

MEDIA_TYPE = "application/cloudevents-batch+json; charset=utf-8"
_SUCCESS = range(200, 300)


class WebhookSink:
    """Implements `Sink` over HTTP."""

    window = 100

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key: bytes,
        deadline_s: float,
        trusted: ssl.SSLContext | None = None,
        wall: Callable[[], Micros] = wall_micros,
    ) -> None:
        """Prepare a client; nothing is sent yet. `wall` tells the time that signatures carry."""
        for logger in ("httpx2", "httpcore2"):
            logging.getLogger(logger).setLevel(logging.WARNING)
        self._name, self._url, self._key, self._wall = name, url, key, wall
        self._deadline_s = deadline_s
        self._client = httpx2.AsyncClient(
            headers={"content-type": MEDIA_TYPE, "accept-encoding": "identity"},
            timeout=httpx2.Timeout(deadline_s, connect=deadline_s / 2),
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context() if trusted is None else trusted,
        )

    async def deliver(self, events: Sequence[Event]) -> None:
        """See `Sink.deliver`; taken is what was answered with 2xx."""
        body = b"[" + b",".join(event.body.rstrip(b"\n") for event in events) + b"]"
        message_id = f"evt_{events[0].entry_id}_{events[-1].entry_id}"
        headers = signed_headers(self._key, message_id, self._wall(), body)
        failure: SourceError
        try:
            async with asyncio.timeout(self._deadline_s):
                status = await self._post(body, headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            failure = NotDeliveredError(f"sink `{self._name}` cannot be reached, try again")
        except (TimeoutError, httpx2.HTTPError, httpx2.StreamError):
            failure = DeliveryUnknownError(f"sink `{self._name}` did not answer, try again")
        else:
            if status in _SUCCESS:
                return
            failure = NotDeliveredError(f"sink `{self._name}` answered with status {status}")
        # Raised out here, so that no exception with an address or a body hangs on to it.
        raise failure

    async def close(self) -> None:
        """See `Sink.close`."""
        await self._client.aclose()

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
            return answer.status_code
