"""The deep check over both engines: a sound store has no fault, and one that was changed does."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from guard.fsck import FsckReport, Kept, NothingForgotten, check_store
from guard.ledger.note import NoteSigner
from tests.support.log import settle
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


def check(rig: Rig, folder: Path) -> FsckReport:
    kept = Kept(log_dir=folder / "log", high_water=(folder / "high-water").read_bytes())
    key = NoteSigner("t", rig.keyring.signing_key("t")).verifier
    with rig.store.read() as view:
        return check_store(view, rig.vault, key, kept, explained=NothingForgotten())


async def grow(rig: Rig) -> None:
    for ref in await rig.customers(2):
        rig.clock.advance(1_000_000)
        await rig.broker.view(make_caller(), rig.asks(ref, await rig.case(ref)))
    settle(rig.store)
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())


async def test_a_sound_store_has_no_fault(rig: Rig, tmp_path: Path) -> None:
    await grow(rig)
    report = check(rig, tmp_path)
    assert report.faults == ()
    # Publishing keeps no entry of its own: all of them are published.
    assert report.entries == report.published == len(rig.log())
    assert report.customers == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE detail_event SET agent = 'somebody' WHERE idx = 4",
        "DELETE FROM detail_event WHERE idx = 4",
        "UPDATE entry SET leaf = leaf_hash WHERE idx = 4",
    ],
)
async def test_a_change_is_found_and_named(
    rig: Rig, tmp_path: Path, store_url: str, change: str
) -> None:
    await grow(rig)
    engine = create_engine(store_url)
    with engine.begin() as connection:
        assert connection.execute(text(change)).rowcount == 1
    engine.dispose()
    report = check(rig, tmp_path)
    assert any(fault.index == 4 for fault in report.faults)
