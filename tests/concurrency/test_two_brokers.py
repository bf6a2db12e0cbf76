"""Two brokers on one PostgreSQL, with views and work about the same customers at once."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.exports import ExportFormat
from guard.exports.order import ExportOrder
from guard.rows import LogQuery
from guard.store import SqlStore
from tests.support.makers import TENANT
from tests.support.people import AUDITOR
from tests.support.rig import Rig, make_caller, open_rig, row_of

pytestmark = pytest.mark.anyio

IS_FULL = os.environ.get("RECORDGUARD_FULL") == "1"
VIEWS, EXPORTS = (200, 40) if IS_FULL else (15, 4)
AGENTS = [make_caller(f"a{n}") for n in range(1, 4)]


async def test_views_of_one_broker_and_work_of_the_other_never_fail_each_other(
    postgres_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    told = Counter[str]()

    async def views(rig: Rig, refs: list[str], cases: dict[tuple[str, str], str], n: int) -> None:
        for i in range(VIEWS):
            agent, ref = AGENTS[(n + i) % len(AGENTS)], refs[(i * 7 + n) % len(refs)]
            answer = await rig.broker.view(agent, rig.asks(ref, cases[ref, agent.id]))
            told[type(answer).__name__] += 1

    async def exports(rig: Rig) -> None:
        order = ExportOrder(format=ExportFormat.NDJSON, query=LogQuery(tenant=TENANT))
        for _ in range(EXPORTS):
            async for _piece in (await rig.exports.export(AUDITOR, order)).pieces:
                pass
            told["export"] += 1

    stores = SqlStore(postgres_url), SqlStore(postgres_url)
    with (
        open_rig(stores[0], clock, tmp_path) as one,
        open_rig(stores[1], clock, tmp_path) as two,
    ):
        await one.directory.put(make_caller("desk"), [row_of(agent) for agent in AGENTS])
        refs = await one.customers(12)
        cases = {(ref, a.id): await one.case(ref, a.id) for ref in refs for a in AGENTS}
        await asyncio.gather(
            *(views(rig, refs, cases, n) for n in range(4) for rig in (one, two)), exports(one)
        )
        assert told == {"Served": 8 * VIEWS, "export": EXPORTS}
    for store in stores:
        store.close()
