"""kill -9 of the real `guard serve` under load: what left the process is in the log.

The service and its worker run as an operator runs them, several desks view records over sockets,
and at a random moment the whole process group is killed. A view counts as served if *any* byte of
its answer arrived; each request names a device of its own, by which its entry is found even when
the receipt did not arrive whole.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np
import pytest

from api.cli.demo.cast import acting
from api.cli.opened import services
from api.identity.scopes import ALL
from api.places import database_url, open_keyring
from api.replaying import opened_entries, stored_pages
from guard.clock import MINUTE, wall_micros
from guard.entries import EntryKind, Receipt
from guard.ledger.receipts import match_receipt
from guard.purposes.reports import AssignmentPut, CasePut
from guard.store.sql_store import SqlReader
from guard.vault.sealing import EntryVault
from policies.model import ActorKind, Role
from tests.support.policy_bundles import default_files
from tests.support.service import (
    AGENTS,
    SYNC,
    Prepared,
    ServeProcess,
    command,
    person,
    prepare,
    write_bundle,
)

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket, pytest.mark.functional]

IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
KILLS = 50 if IS_FULL else 3
SEED = 20_261_121
CLIENTS = 8
# The kill falls at any moment up to this long after the desks begin.
LATEST_KILL_S = 1.0
REFUSED_TO_START = 78

WIDE_QUOTAS = """\
[[budget]]
name = "views-day"
measure = "views"
key = "agent"
window = "rolling_24h"
limit = 1000000
"""


@dataclass(slots=True)
class Seen:
    """What the desks got: whole answers by their device, and devices of broken-off answers."""

    receipts: dict[str, Receipt] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    cut: set[str] = field(default_factory=set)
    unavailable: int = 0


async def set_up(folder: Path) -> tuple[Prepared, dict[str, str]]:
    """A floor where every desk has a case for every customer; the case of each customer."""
    quotas = default_files() | {"quotas.toml": WIDE_QUOTAS.encode()}
    policy = write_bundle(folder / "policy", quotas)
    prepared = await prepare(folder, policy_dir=policy)
    sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
    since = wall_micros() - MINUTE
    cases = {ref: f"k-{n}" for n, ref in enumerate(prepared.refs)}
    everybody = tuple(AssignmentPut(agent=a, how="inbound", from_at=since) for a in AGENTS)
    async with services(prepared.settings) as opened:
        for ref, case_id in cases.items():
            put = CasePut(
                id=case_id, customer=ref, channel="phone", opened_at=since, assignments=everybody
            )
            await opened.cases.put(sync, put)
    return prepared, cases


async def desk(base_url: str, token: str, name: str, cases: Mapping[str, str], seen: Seen) -> None:
    """View one customer after another until the service is gone."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    refs = list(cases)
    number = 0
    try:
        while True:
            device, ref = f"{name}-{number}", refs[number % len(refs)]
            number += 1
            asked = {
                "customer": ref,
                "purpose": "support_case",
                "case": cases[ref],
                "device": device,
            }
            writer.write(request(token, asked))
            is_whole, answer = await answer_of(reader)
            if not is_whole:
                if answer:
                    seen.cut.add(device)
                return
            note(device, answer, seen)
    finally:
        writer.close()


def request(token: str, asked: Mapping[str, object]) -> bytes:
    body = json.dumps(asked).encode()
    head = (
        "POST /v1/views HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def answer_of(reader: asyncio.StreamReader) -> tuple[bool, bytes]:
    """Every byte of one answer that arrived, and whether it is whole."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            got += piece
            head, end, body = got.partition(b"\r\n\r\n")
            if end and len(body) >= length_of(head):
                return True, got
    return False, got


def length_of(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name == b"content-length")


def note(device: str, answer: bytes, seen: Seen) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status == 503:
        seen.unavailable += 1
        return
    assert status == 200, answer
    seen.receipts[device] = msgspec.convert(json.loads(body)["receipt"], Receipt)
    seen.arrived.set()


async def load_until_killed(
    server: ServeProcess,
    prepared: Prepared,
    cases: Mapping[str, str],
    *,
    turn: int,
    after_s: float,
    is_waited_for: bool,
) -> Seen:
    """Let the desks work, kill the service after `after_s`, or the first answer; what arrived."""
    seen = Seen()
    tokens = [prepared.tokens.of(agent) for agent in AGENTS]
    async with asyncio.TaskGroup() as group:
        for n in range(CLIENTS):
            token, name = tokens[n % len(tokens)], f"d{turn}-{n}"
            group.create_task(desk(server.base_url, token, name, cases, seen))
        await asyncio.sleep(after_s)
        if is_waited_for:
            await seen.arrived.wait()
        server.kill()
    return seen


def check_log(prepared: Prepared, seen: Seen) -> int:
    """Hold what the desks got against the log; how many entries it has."""
    vault = EntryVault(open_keyring(prepared.settings))
    with SqlReader(database_url(prepared.settings)) as store, store.read() as view:
        leaves = [entry.leaf for page in stored_pages(view) for entry in page]
        viewed = {
            entry.event.device: entry.index
            for entry in opened_entries(view, vault)
            if entry.kind is EntryKind.VIEW
        }
    for device, receipt in seen.receipts.items():
        index = viewed[device]
        match_receipt(receipt, leaves[index], index)
    assert seen.cut <= viewed.keys(), "a byte of a view left before its entry"
    return len(leaves)


async def test_a_killed_service_has_logged_every_view_that_left_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared, cases = await set_up(tmp_path / "data")
    rng = np.random.default_rng(SEED)
    total = Seen()
    size = 0
    with prepared.serve() as server:
        server.start()
        for turn in range(KILLS):
            after_s = float(rng.uniform(0.01, LATEST_KILL_S))
            # The last one surely has something to keep, however slow the machine is.
            seen = await load_until_killed(
                server,
                prepared,
                cases,
                turn=turn,
                after_s=after_s,
                is_waited_for=turn == KILLS - 1,
            )
            total.receipts |= seen.receipts
            total.cut |= seen.cut
            total.unavailable += seen.unavailable
            server.start()
            size = check_log(prepared, total)
            # Nothing is taken back: what one kill had broken is still broken after the last.
            if IS_FULL or turn == KILLS - 1:
                code, said, failed = command(["verify"], prepared.env)
                assert code == 0, said + failed
        await check_second_broker(prepared)
        server.stop()
    assert total.receipts
    with capsys.disabled():
        sys.stdout.write(
            f"\n{KILLS} kills: {len(total.receipts)} whole and {len(total.cut)} broken-off answers,"
            f" {total.unavailable} of 503, {size} entries, served but not logged: 0\n"
        )


async def check_second_broker(prepared: Prepared) -> None:
    """The restarted service writes this file, so a second one is refused and changes nothing."""
    code, said, failed = command(["serve"], prepared.env)
    assert (code, said) == (REFUSED_TO_START, "")
    assert failed.count("\n") == 1
    assert "another broker process already writes `ledger.db`" in failed
