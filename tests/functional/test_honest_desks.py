"""A day of honest work through the real broker, by desks that name no case and give no reason."""

import os
import sys
from pathlib import Path

import pytest

from detectors.floor import Floor
from detectors.floor_actions import Assigned, CaseOpened
from guard.clock import ManualClock, from_rfc3339
from guard.entries import EntryKind
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.floor_play import Desks, Played
from tests.support.rig import open_rig

pytestmark = pytest.mark.anyio

START = from_rfc3339("2026-03-02T00:00:00Z")
CUSTOMERS = 300
FULL = bool(os.environ.get("RECORDGUARD_FULL"))
# Agents on the floor, and days: more than a thousand views even in the quick form.
AGENTS, DAYS = (48, 3) if FULL else (18, 1)
# At most this share of honest views may be refused.
WRONGLY = 0.001
# Of how many cases the ticket system tells only after the view: one in so many.
LATE = 20


@pytest.fixture
def ledger(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated file in a folder of its own."""
    path = tmp_path / "ledger.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


async def played(ledger: Path, *, late: int) -> tuple[Played, list[EntryKind]]:
    """The honest days of a floor, played through a broker of their own."""
    floor = Floor.build(11, START, customers=CUSTOMERS, agents=AGENTS)
    with (
        SqlStore(sqlite_url(ledger)) as store,
        open_rig(store, ManualClock(START), ledger.parent) as rig,
    ):
        desks = Desks(rig, floor, await rig.customers(CUSTOMERS))
        days = [tuple(floor.day(n)) for n in range(DAYS)]
        await desks.approve_list(tuple(action for day in days for action in day))
        came = Played()
        for actions in days:
            drawn = {a.case_id for a in actions if isinstance(a, Assigned) and a.how == "qa"}
            opened = [
                a.case_id for a in actions if isinstance(a, CaseOpened) and a.case_id not in drawn
            ]
            came += await desks.play(actions, frozenset(opened[::late] if late else ()))
        return came, [entry.kind for entry in rig.log()]


async def test_honest_work_is_not_refused_and_needs_no_click(ledger: Path) -> None:
    came, _ = await played(ledger, late=0)
    sys.stdout.write(f"\n{came.views} honest views, none names a case: {came.of_refused()}\n")
    assert came.views > 1_000
    assert len(came.refused) <= came.views * WRONGLY
    assert all(refused.next for _, refused in (*came.refused, *came.strays))


async def test_a_late_ticket_system_costs_masks_and_no_refusals(ledger: Path) -> None:
    came, kinds = await played(ledger, late=LATE)
    sys.stdout.write(f"\n{came.views} honest views, {kinds.count(EntryKind.LATE_LINK)} repaired\n")
    assert len(came.refused) <= came.views * WRONGLY
    assert kinds.count(EntryKind.LATE_LINK) > came.views // LATE // 2
