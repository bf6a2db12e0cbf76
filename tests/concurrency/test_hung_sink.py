"""A sink that takes connections and never answers holds up nobody, and gets all in the end."""

import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.settings import PREFIX
from guard.clock import monotonic
from tests.support.makers import TENANT
from tests.support.service import AGENT, ServeProcess, prepare
from tests.support.sinks import Manner, http_sink

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket, pytest.mark.functional]
VIEWS = 12
# Far more than a view may take: none waits for a delivery that hangs.
DEADLINE_MS = 5_000
PATIENCE_S = 60.0
SINKS = """\
[[sink]]
name = "siem"
tenant = "{tenant}"
kind = "cloudevents_webhook"
from_start = true
url = "http://127.0.0.1:{port}/events"
secret = "siem"
deadline_ms = {deadline_ms}
"""


def declare(folder: Path, port: int) -> dict[str, str]:
    """Write the sinks file and its secret; the settings that name them."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / "siem").write_text("whsec_" + b64encode(bytes(32)).decode())
    file = folder / "sinks.toml"
    file.write_text(SINKS.format(tenant=TENANT, port=port, deadline_ms=DEADLINE_MS))
    return {PREFIX + "SINKS_FILE": str(file), PREFIX + "SECRETS_DIR": str(folder / "secrets")}


def ids(request: bytes) -> list[str]:
    """The events of one delivery."""
    _, _, body = request.partition(b"\r\n\r\n")
    return [event["id"] for event in json.loads(body)]


async def test_a_sink_that_hangs_holds_up_nobody_and_misses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with http_sink() as sink:
        sink.manner = Manner.STALLS
        prepared = await prepare(tmp_path / "data", worker=False)
        # From now on: whoever had pushed it before would have it for the length of a lease.
        env = prepared.env | declare(tmp_path, sink.port)
        with ServeProcess(env, tmp_path / "serve.log") as server:
            server.start()
            slowest = 0.0
            seen: list[dict[str, Any]] = []
            with httpx2.Client(base_url=server.base_url, timeout=PATIENCE_S) as client:
                began = monotonic()
                while len(seen) < VIEWS or not sink.received:
                    assert monotonic() - began < PATIENCE_S
                    ref = prepared.refs[len(seen) % len(prepared.refs)]
                    body = {"customer": ref, "purpose": "support_case", "reason": "asked"}
                    asked = monotonic()
                    answer = client.post(
                        "/v1/views", json=body, headers=prepared.tokens.header(AGENT)
                    )
                    slowest = max(slowest, monotonic() - asked)
                    assert answer.status_code in {200, 403, 429}, answer.text
                    seen.append(answer.json())
                    assert client.get("/livez").status_code == 200
                    assert client.get("/readyz").status_code == 200
                sink.manner = Manner.TAKES
                hung = list(sink.received)
                receipts = {one["receipt"]["entry_id"] for one in seen if "receipt" in one}
                got: set[str] = set()
                while not receipts <= got:
                    assert monotonic() - began < 2 * PATIENCE_S
                    assert client.get("/readyz").status_code == 200
                    got = {one for request in sink.received[len(hung) :] for one in ids(request)}
            server.stop()
    assert receipts
    # What it took and never answered for is sent again, under the ids that it had.
    assert got.issuperset(one for request in hung for one in ids(request))
    with capsys.disabled():
        sys.stdout.write(
            f"\na hung sink: {len(seen)} requests answered meanwhile, the slowest in"
            f" {slowest:.2f} s; of {len(receipts)} receipts none was lost\n"
        )
