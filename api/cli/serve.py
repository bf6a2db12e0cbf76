"""`guard serve` and `guard worker`: the service, and the child that watches its ledger.

`serve` refuses to start (exit 78, one line) on anything that would make it serve wrongly: settings
that make no sense, a policy bundle or mapping that does not load, tables of another revision, a
disk that cannot be written, a ledger that another process writes, an address that is taken.
Everything is built and started before the first request is taken, so nothing answers until
everything holds.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Annotated

import typer
import uvicorn
import uvloop

from api import logs
from api.child import Child
from api.cli.opened import services
from api.cli.outcome import Exit
from api.places import database_url
from api.settings import Settings, load_settings
from guard.errors import ConfigurationError
from guard.store import migrate as tables

# Requests under way may take this long to end when the service is asked to stop: longer than any
# deadline that a request has.
GRACE_S = 15
BACKLOG = 2048


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address; RECORDGUARD_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port, 0 for any; RECORDGUARD_PORT.")] = -1,
) -> None:
    """Answer requests until stopped, with a worker beside it."""
    given = dict(os.environ)
    if host:
        given["RECORDGUARD_HOST"] = host
    if port >= 0:
        given["RECORDGUARD_PORT"] = str(port)
    settings = load_settings(given)
    logs.configure(settings.log_level)
    tables.check(database_url(settings))
    # uvicorn raises the signal again once it has drained; what comes after must still run.
    with listen(settings.host, settings.port) as bound, on_stop(lambda: None):
        uvloop.run(_answer(settings, bound, given))


@contextmanager
def on_stop(act: Callable[[], object]) -> Iterator[None]:
    """Let `act` be all that a signal to stop does, for the length of a block."""
    names = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(name, lambda _number, _frame: act()) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def listen(host: str, port: int) -> socket.socket:
    """Bind the address before anything is started.

    Raises:
        ConfigurationError: It is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"address {host}:{port} cannot be used ({error.strerror}): choose another with --port"
        ) from None
    return bound


async def _answer(settings: Settings, bound: socket.socket, env: dict[str, str]) -> None:
    from api.app import create_app  # noqa: PLC0415 - the HTTP side, which no other command needs

    async with services(settings) as built:
        config = uvicorn.Config(
            create_app(built),
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        command = [sys.executable, "-m", "api.cli", "worker"]
        with Child.beside(command, env, wanted=settings.worker):
            address = bound.getsockname()
            print(f"serving on http://{settings.host}:{address[1]}", flush=True)
            await uvicorn.Server(config).serve(sockets=[bound])


def worker() -> None:
    """Watch the ledger; `guard serve` starts this by itself."""
    from api.worker import open_worker, run  # noqa: PLC0415 - loads the detectors

    stop = Event()
    parent = os.getppid()
    settings = load_settings()
    logs.configure(settings.log_level)
    with on_stop(stop.set), open_worker(settings) as watching:
        run(watching, stop, lambda: os.getppid() != parent)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=f"Exit {Exit.CONFIG:d}: cannot start; the line says why and where.")(serve)
    app.command(hidden=True)(worker)
