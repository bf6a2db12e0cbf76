"""A store that hangs, and a disk that loses what it took: 503 in time, and what comes after."""

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from api import logs
from guard.clock import monotonic
from tests.support.service import (
    AGENT,
    Prepared,
    Service,
    command,
    open_service,
    prepare,
)

pytestmark = pytest.mark.anyio

DEADLINE_S = 3.0
# Beyond the deadline and what a busy machine needs to say so.
IN_TIME_S = DEADLINE_S + 5.0
ATTACHED_S = 20.0


async def refused(service: Service) -> None:
    """A view is answered 503 in time, and health all the while."""
    began = monotonic()
    answer = await service.view(service.refs[0], reason="asked")
    assert answer.status_code == 503, answer.text
    assert monotonic() - began < IN_TIME_S
    assert (await service.client.get("/livez")).status_code == 200


@pytest.mark.postgres
async def test_a_log_that_hangs_is_answered_in_time_and_recovers_by_itself(
    postgres_url: str, tmp_path: Path
) -> None:
    # As the service does: the lines of a developer, with all locals, take seconds.
    logs.configure("warning", io.StringIO())
    limits: dict[str, Any] = {"admit_deadline_s": DEADLINE_S, "read_deadline_s": DEADLINE_S}
    async with open_service(postgres_url, tmp_path, **limits) as service:
        assert (await service.view(service.refs[0], reason="asked")).status_code == 200
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as link:
            link.execute("LOCK TABLE pending IN ACCESS EXCLUSIVE MODE")
            await refused(service)
            link.rollback()
        began = monotonic()
        while (await service.view(service.refs[1], reason="asked")).status_code != 200:
            assert monotonic() - began < ATTACHED_S
        assert (await service.client.get("/readyz")).status_code == 200


@contextmanager
def failing_sync(pid: int, log: Path) -> Iterator[None]:
    """Have every flush to disk of a process fail with EIO, for the length of a block."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: apt-get install strace")
    words = [strace, "-f", "-q", "-p", str(pid), "-o", str(log)]
    for name in ("fsync", "fdatasync"):
        words += ["-e", f"inject={name}:error=EIO"]
    words += ["-e", "trace=fsync,fdatasync"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:  # noqa: S603 - the tool just found
        try:
            yield
        finally:
            tracer.terminate()
            tracer.wait(ATTACHED_S)


def ask(prepared: Prepared, base_url: str, path: str = "") -> int:
    """The status of a view, or of `path`."""
    with httpx2.Client(base_url=base_url, timeout=ATTACHED_S) as client:
        if path:
            return client.get(path).status_code
        body = {"customer": prepared.refs[0], "purpose": "support_case", "reason": "asked"}
        header = prepared.tokens.header(AGENT)
        return client.post("/v1/views", json=body, headers=header).status_code


@pytest.mark.enable_socket
@pytest.mark.functional
@pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
async def test_after_a_flush_that_failed_nothing_is_written_until_it_is_started_again(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    prepared = await prepare(folder, worker=False)
    with prepared.serve() as server:
        server.start()
        assert ask(prepared, server.base_url) == 200
        trace = tmp_path / "trace"
        with failing_sync(server.pid, trace):
            began = monotonic()
            while ask(prepared, server.base_url, "/readyz") == 200:
                # The first flush after the tool has its hold: of a view, or of a checkpoint.
                ask(prepared, server.base_url)
                assert monotonic() - began < ATTACHED_S
            assert ask(prepared, server.base_url, "/livez") == 200
        assert "EIO" in trace.read_text()
        size = sum(path.stat().st_size for path in folder.glob("ledger.db*"))
        # The disk works again, and this process still does not trust what it has.
        assert ask(prepared, server.base_url) == 503
        assert ask(prepared, server.base_url, "/readyz") == 503
        assert ask(prepared, server.base_url, "/livez") == 200
        assert sum(path.stat().st_size for path in folder.glob("ledger.db*")) == size
        server.kill()
        server.start()
        assert ask(prepared, server.base_url) == 200
        server.stop()
    code, said, failed = command(["verify"], prepared.env)
    assert code == 0, said + failed
