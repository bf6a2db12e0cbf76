"""A file while it is made: pages, population, and what was left out."""

import hashlib

import pytest

from guard.entries import EntryKind
from guard.exports import FORMATS, CellGuard, ExportFormat, Source, run
from guard.exports.order import ExportOrder
from guard.exports.run import Run
from guard.rows import LogQuery
from tests.support.makers import TENANT
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


async def test_left_out_entries_are_committed_to_in_pieces(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "CHUNK", 2)
    monkeypatch.setattr(run, "OMITTED_AT_ONCE", 3)
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    for _ in range(3):
        await rig.broker.view(AGENT, rig.asks(ref, case))
    log = rig.log()
    query = LogQuery(tenant=TENANT, kinds=(EntryKind.VIEW,))
    order = ExportOrder(format=ExportFormat.NDJSON, query=query)
    encoder = FORMATS[ExportFormat.NDJSON].encoder(Source(origin="t", version="0"), CellGuard.RAW)
    made = Run(order, len(log), encoder, rig.vault)
    is_last = False
    with rig.store.read() as view:
        while not is_last:
            is_last = made.step(view).is_last
            while made.omit(view):
                pass
        leaves = list(view.leaf_hashes(0, len(log)))
    population = made.population()
    left_out = [leaves[e.index] for e in log if e.kind is not EntryKind.VIEW]
    assert (population.entries, population.omitted) == (3, len(left_out))
    assert population.omitted_sha256 == hashlib.sha256(b"".join(left_out[::-1])).hexdigest()
    assert made.before == 0
