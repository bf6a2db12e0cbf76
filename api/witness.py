"""A witness on HTTP (C2SP tlog-witness): anybody can run one, without a database or our keyring.

    POST <prefix>/add-checkpoint             cosign a checkpoint that continues the last
    GET  <prefix>/<origin hash>/checkpoint   the last one cosigned, for monitors
    GET  <prefix>/livez                      the process answers

Requests are public and bounded: a body beyond `MAX_REQUEST` is not read on, and a request that is
not there within `REQUEST_S` ends its connection. Lines of log hold the status and the time taken,
never what was sent.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
import uvicorn
from httptools import HttpRequestParser
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from guard.clock import Micros, monotonic, wall_micros
from guard.errors import DurabilityError
from guard.ledger.witness import MAX_REQUEST, TEXT_TYPE, Answer, Witness

# A whole request must have arrived within this; a log sends a few KB.
REQUEST_S = 10.0
# Connections at a time: a witness serves some logs, each with one.
CONNECTIONS = 128
# A log asks every second or so; a connection that rests for longer is given up.
KEEP_ALIVE_S = 30
_CANNOT_REMEMBER = Answer(500, TEXT_TYPE, b"witness cannot remember, nothing is cosigned\n")


def create_witness(
    witness: Witness, *, prefix: str = "", wall: Callable[[], Micros] = wall_micros
) -> Starlette:
    """The application of one witness, below `prefix`."""
    asked = partial(_add_checkpoint, witness, wall)
    shown = partial(_checkpoint, witness)
    routes = [
        Route("/add-checkpoint", asked, methods=["POST"]),
        Route("/{origin_hash}/checkpoint", shown, methods=["GET"]),
        Route("/livez", _livez, methods=["GET"]),
    ]
    return Starlette(routes=[Mount(prefix, routes=routes)])


async def _add_checkpoint(
    witness: Witness, wall: Callable[[], Micros], request: Request
) -> Response:
    started = monotonic()
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_REQUEST:
                break
    except ClientDisconnect:
        return Response(status_code=400)
    try:
        answer = await asyncio.to_thread(witness.add_checkpoint, bytes(body), wall())
    except (OSError, DurabilityError):
        answer = _CANNOT_REMEMBER
    structlog.get_logger().info(
        "witness.answered",
        status=answer.status,
        bytes=len(body),
        ms=round((monotonic() - started) * 1000, 2),
    )
    response = _respond(answer)
    if len(body) > MAX_REQUEST:
        response.headers["connection"] = "close"
    return response


async def _checkpoint(witness: Witness, request: Request) -> Response:
    note = witness.checkpoint(request.path_params["origin_hash"])
    if note is None:
        return _respond(Answer(404, TEXT_TYPE, b"nothing of that log was cosigned here\n"))
    response = _respond(Answer(200, TEXT_TYPE, note))
    response.headers["cache-control"] = "no-cache"
    return response


async def _livez(_request: Request) -> Response:
    return _respond(Answer(200, TEXT_TYPE, b"alive\n"))


def _respond(answer: Answer) -> Response:
    headers = {"content-type": answer.content_type, "x-content-type-options": "nosniff"}
    return Response(answer.body, answer.status, headers)


class ImpatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that waits `REQUEST_S` for a request to be there, whole, and then hangs up.

    The server's own time-outs begin only after a first answer: who sends a byte a minute would
    hold a connection for ever.
    """

    request_s = REQUEST_S

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the server's own
        """Take what the server hands in."""
        super().__init__(*args, **options)
        self.parser: HttpRequestParser
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait."""
        super().connection_made(transport)  # type: ignore[arg-type] # it is a stream's
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request that has begun."""
        if self._patience is None:
            self._wait()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for a request that began in the same packet as the last one ended."""
        if self._patience is None:
            self._wait()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Stop to wait: the rest is ours to do."""
        self._rest()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._rest()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.request_s, self.transport.abort)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def server_config(app: Starlette, *, request_s: float = REQUEST_S) -> uvicorn.Config:
    """How a witness is served: few connections, none of them for long without a request."""
    protocol = type("Protocol", (ImpatientProtocol,), {"request_s": request_s})
    return uvicorn.Config(
        app,
        http=protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
    )
