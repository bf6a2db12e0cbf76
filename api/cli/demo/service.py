"""Runs the real `guard serve`, and before it `guard worker`, as an operator's shell would."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from api.cli.demo.stage import MAPPING_FILE
from api.places import worker_file
from api.settings import PREFIX, Settings
from guard.clock import monotonic
from guard.errors import ConfigurationError, UnavailableError
from guard.store.worker_file import WorkerFile

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 8080, 100
# From a cold disk cache the imports of a service alone take some seconds.
READY_S = 60.0
LEAVE_S = 30.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers, and the file with what it said."""

    base_url: str
    port: int
    log: Path


def free_port() -> int:
    """The first free port from 8080 on.

    Raises:
        ConfigurationError: A hundred ports are taken.
    """
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            # As the service binds it: a port in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
    raise ConfigurationError(f"ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are all taken")


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """The environment of the demo's service: its own settings and none of the caller's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own = {
        "DATA_DIR": str(data_dir.absolute()),
        "DEMO": "true",
        "HOST": HOST,
        "PORT": str(port),
        "MAPPING_FILE": str((data_dir / MAPPING_FILE).absolute()),
        "LOG_LEVEL": "warning",
    }
    return kept | {PREFIX + name: value for name, value in own.items()}


@asynccontextmanager
async def child(
    words: list[str], env: dict[str, str], log: Path
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run `guard WORDS` for the length of a block, its output in `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - starts at once; our own program
            [sys.executable, "-m", "api.cli", *words], env=env, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, LEAVE_S)
        except subprocess.TimeoutExpired:
            process.kill()


@asynccontextmanager
async def learning(settings: Settings, env: dict[str, str]) -> AsyncIterator[WorkerFile]:
    """Run a worker while the block sets the stage; its file shows how far it has read."""
    log = settings.data_dir / "worker.log"
    file = WorkerFile(worker_file(settings))
    try:
        async with child(["worker"], env, log) as process:
            yield file
            if process.poll() is not None:
                raise ConfigurationError(f"the worker ended early, see {log}")
    finally:
        file.close()


async def caught_up(file: WorkerFile, size: int) -> None:
    """Wait until the worker has read `size` entries.

    Raises:
        UnavailableError: It did not within a minute.
    """
    begun = monotonic()
    while file.load()[0] < size:
        if monotonic() - begun > READY_S:
            raise UnavailableError(
                "the worker does not catch up: see worker.log in the data folder"
            )
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def serving(env: dict[str, str], data_dir: Path, port: int) -> AsyncIterator[Running]:
    """Run the service for the length of a block; it is ready when the block begins.

    Raises:
        ConfigurationError: It ended instead of answering.
    """
    log = data_dir / "serve.log"
    running = Running(f"http://{HOST}:{port}", port, log)
    async with child(["serve"], env, log) as process:
        async with httpx2.AsyncClient(base_url=running.base_url) as client:
            await _ready(client, process, log)
        yield running


async def _ready(client: httpx2.AsyncClient, process: subprocess.Popen[bytes], log: Path) -> None:
    begun = monotonic()
    while monotonic() - begun < READY_S:
        if process.poll() is not None:
            raise ConfigurationError(f"the service did not start: {_last_line(log)} (see {log})")
        try:
            if (await client.get("/readyz")).is_success:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(POLL_S)
    raise ConfigurationError(f"the service does not answer: see {log}")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
