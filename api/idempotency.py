"""Repeating a state change safely: `Idempotency-Key` keeps the first answer.

Only for calls that return no record data. On views the key is not kept here: a repeated view is
fetched, decided and logged anew. A stored reply belongs to (tenant, principal, key); the same key
with another request is an error, and two at once wait for each other.

What is kept of a request is an HMAC under a key of the tenant: a phone number or a short text could
be guessed from a plain hash of the body.

The change and the stored reply are two commits. After a crash between them a repeat runs again:
puts change nothing the second time, and what is posted states its own id or reports a conflict.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response

from api.log_ports import TenantKeys
from api.problems import KeyReusedError
from guard.clock import Clock
from guard.errors import InvalidRequestError
from guard.ports import Committer, Readers
from guard.principals import Principal

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"
MAX_KEY = 128
# What the tenant's key that hides requests is derived for.
USE = "idempotency"


class Replies:
    """Stored replies."""

    def __init__(
        self, committer: Committer, readers: Readers, clock: Clock, keys: TenantKeys
    ) -> None:
        """Keep replies through `committer`, find them through `readers`, hide with `keys`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._keys = keys
        self._locks: WeakValueDictionary[tuple[str, str, str], asyncio.Lock] = WeakValueDictionary()

    async def once(
        self,
        request: Request,
        principal: Principal,
        act: Callable[[], Awaitable[Response]],
        key: str | None = None,
    ) -> Response:
        """Run `act`, or answer as it was answered before under the same key.

        A form has its `key` inside, because a browser adds no header of its own.

        Raises:
            KeyReusedError: The key came with another request before.
            InvalidRequestError: The key has no usable form.
        """
        key = request.headers.get(HEADER) if key is None else key
        if key is None:
            return await act()
        if not key.isascii() or not key.isprintable() or not 0 < len(key) <= MAX_KEY:
            raise InvalidRequestError(f"an idempotency key has 1 to {MAX_KEY} visible characters")
        name = (principal.tenant, principal.id, key)
        digest = await self._digest(request, principal.tenant)
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = await self._readers.read(lambda view: view.idempotent(*name))
            if kept is not None:
                return _replay(kept, digest)
            response = await act()
            reply = (digest, response.status_code, bytes(response.body))
            at = self._clock.now()
            await self._committer.run(lambda tx: tx.rows.put_idempotent(*name, reply, at))
            return response

    async def _digest(self, request: Request, tenant: str) -> bytes:
        where = f"{request.method}\0{request.url.path}\0{request.url.query}\0"
        content = where.encode("utf-8", "replace") + await request.body()
        return hmac.digest(self._keys.derived(tenant, USE), content, "sha256")


def _replay(kept: tuple[bytes, int, bytes], digest: bytes) -> Response:
    before, status, body = kept
    if before != digest:
        raise KeyReusedError
    return Response(body, status, {REPLAYED: "true"}, media_type="application/json")
