"""The edge of the service: everything that is true of every request, whatever its route.

It gives the request an id, writes its one log line and its metrics, adds the headers that no answer
may lack, and is the last to catch: an error that no rule expected is answered without any detail
and goes no further, because whoever logs it next would log its message. When the answer has begun
already the connection is cut, so that no half file passes for a whole one.
"""

import re
import secrets
from collections.abc import Callable

import structlog
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import UNMATCHED, Metrics
from api.problems import ContentTooLargeError, MalformedBodyError, respond
from api.rendering import is_console
from guard.clock import monotonic

# Our bodies nest five deep at most; the bound keeps a parser from recursing for a stranger.
MAX_DEPTH = 16
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
# A work list of 20,000 references is honest and does not fit into an ordinary body; an upload of
# 100,000 rows with long keys is read as it arrives and never held whole.
LARGE_BODIES = {"/v1/work-lists/{list_id}": 16, "/v1/work-lists/{list_id}/customers": 512}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """ASGI middleware, outermost of our own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        max_body_bytes: int,
        mono: Callable[[], float] = monotonic,
    ) -> None:
        """Wrap `app`; `mono` measures latencies."""
        self._app, self._metrics, self._mono = app, metrics, mono
        self._max_body = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state |= {"request_id": secrets.token_hex(8), "outcome": "", "entry": None}
        sent = _Sent(send, state["request_id"])
        started = self._mono()
        with self._metrics.in_flight.track_inprogress():
            await self._guarded(scope, self._bounded(scope, receive), sent)
        self._account(scope, sent.status, self._mono() - started)

    async def _guarded(self, scope: Scope, receive: Receive, sent: "_Sent") -> None:
        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # noqa: BLE001 - the last to catch; see the module's docstring
            self._metrics.unhandled.inc()
            structlog.get_logger().error("http.unhandled", exc_info=error)
            if sent.status is None:
                request = Request(scope, receive)
                await respond(request, error)(scope, receive, sent)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Count a body as it arrives; by then the route is known."""
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_body * LARGE_BODIES.get(_route(scope), 1):
                raise ContentTooLargeError
            return message

        return bounded

    def _account(self, scope: Scope, status: int | None, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        code = status or 0
        self._metrics.requests.labels(route, method, str(code)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        state = scope["state"]
        structlog.get_logger().info(
            "http.request",
            route=route,
            method=method,
            status=code,
            ms=round(seconds * 1000, 2),
            outcome=state["outcome"] or ("ok" if 0 < code < 400 else "failed"),  # noqa: PLR2004 - a status
            entry=state["entry"],
            request_id=state["request_id"],
        )


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", UNMATCHED))


class _Sent:
    """The way out: adds the headers that every answer has, and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self._request_id
        await self._send(message)


class BoundedRoute(APIRoute):
    """A route that looks at a body before a parser does."""

    def get_route_handler(self) -> Callable[[Request], object]:  # type: ignore[override] # as below
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            await text_of(request)
            return await handle(request)

        return bounded


def router(tag: str) -> APIRouter:
    """A router whose routes bound their bodies."""
    return APIRouter(route_class=BoundedRoute, tags=[tag])


async def text_of(request: Request) -> bytes:
    """Read a body that is safe to parse.

    Raises:
        ContentTooLargeError: It is larger than the route allows.
        MalformedBodyError: It is no text, or nests too deeply.
        HTTPException: It does not say that it is JSON (415); the console's forms say what they are.
    """
    body = await request.body()
    if body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {JSON, FORM} or (kind == FORM) != is_console(request):
            raise HTTPException(415)
        check_text(body)
    return body


def check_text(body: bytes) -> None:
    """Refuse what is not UTF-8 text, or nests deeper than `MAX_DEPTH`.

    Python's parser would take UTF-16 and UTF-32 too, where the look at the nesting is blind.

    Raises:
        MalformedBodyError: It is or does.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBodyError from error
    if b"\0" in body:
        raise MalformedBodyError
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for char in _STRING.sub(b"", body):
        if char in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedBodyError
        elif char in b"]}":
            depth -= 1
