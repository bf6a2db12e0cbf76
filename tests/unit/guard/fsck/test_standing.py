"""Rows that entries stand for, against those entries, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from guard.clock import HOUR, ManualClock
from guard.forgetting import Forgotten
from guard.fsck import Fault, Kept, check_store
from guard.ledger.note import NoteSigner
from guard.ports import LogTables
from guard.store import SqlStore
from tests.support.forgetting import Oblivion
from tests.support.log import settle
from tests.support.makers import TENANT
from tests.support.people import put_people
from tests.support.rig import Rig, make_caller, open_rig, row_of
from tests.tamper.standing import stand_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def rig(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path) as opened:
        yield opened


def faults(rig: Rig, folder: Path) -> list[Fault]:
    with rig.store.read() as view:
        return look(rig, view, folder)


def look(rig: Rig, view: LogTables, folder: Path) -> list[Fault]:
    key = NoteSigner("t", rig.keyring.signing_key("t")).verifier
    kept = Kept(log_dir=folder / "log")
    explained = Forgotten.read(view, rig.vault, rig.keyring.tenants())
    return list(check_store(view, rig.vault, key, kept, explained=explained).faults)


def change(rig: Rig, statement: str) -> None:
    with rig.store.begin() as rows:
        rows._connection.execute(text(statement))  # noqa: SLF001 - as its administrator could


async def stand(rig: Rig) -> list[str]:
    agent = make_caller("a1")
    await rig.directory.put(make_caller("desk"), [row_of(agent), row_of(make_caller("a2"))])
    refs = await rig.customers(3)
    shown = await rig.broker.view(agent, rig.asks(refs[0], await rig.case(refs[0], "a1")))
    settle(rig.store)
    await stand_for(rig, refs, shown.receipt)
    return refs


async def test_what_stands_is_what_entries_say_pending_or_placed(rig: Rig, tmp_path: Path) -> None:
    await stand(rig)
    assert faults(rig, tmp_path) == []
    settle(rig.store)
    assert faults(rig, tmp_path) == []


async def test_somebody_forgotten_or_replayed_by_a_restore_is_explained(
    rig: Rig, tmp_path: Path
) -> None:
    refs = await stand(rig)
    await put_people(rig)
    await Oblivion.over(rig, tmp_path).forget(refs[2])
    settle(rig.store)
    assert faults(rig, tmp_path) == []
    for statement, column in (
        ("UPDATE erasure SET state = 'recorded' WHERE state = 'done'", "state"),
        ("UPDATE erasure SET done_at = NULL, state = 'done' WHERE state = 'recorded'", "state"),
        ("UPDATE erasure SET entry_id = 'ab' WHERE state = 'done'", "entry_id"),
    ):
        change(rig, statement)
        assert any(f"`{column}`" in one.what for one in faults(rig, tmp_path)), statement


TAMPERED = (
    ("DELETE FROM legal_hold", "legal_hold", "is gone, of which this entry is"),
    ("DELETE FROM erasure WHERE state = 'held'", "erasure", "is gone"),
    ("DELETE FROM hold_back", "hold_back", "`hbk-1` is gone"),
    ("DELETE FROM dispute", "dispute", "is gone"),
    ("UPDATE legal_hold SET lifted_by = 'x' WHERE lift_by IS NULL", "legal_hold", "lifted_by"),
    ("UPDATE legal_hold SET value = 'a9' WHERE scope = 'agent'", "legal_hold", "`value`"),
    ("UPDATE legal_hold SET set_at = set_at - 3600000000", "legal_hold", "`set_at`"),
    ("UPDATE erasure SET state = 'done', done_at = 5 WHERE state = 'held'", "erasure", "state"),
    ("UPDATE erasure SET id = 'er-x' WHERE state = 'held'", "erasure", "no entry says"),
    ("UPDATE erasure SET is_noted = (1 = 0) WHERE state = 'held'", "erasure", "`is_noted`"),
    ("UPDATE hold_back SET reason = 'none'", "hold_back", "`reason`"),
    ("UPDATE hold_back SET ended_at = 5", "hold_back", "`ended_at`"),
    ("UPDATE dispute SET at = at + 3600000000", "dispute", "`at`"),
    ("UPDATE dispute SET id = 'ab'", "dispute", "`id`"),
)


async def test_a_row_that_is_not_what_its_entries_say_is_named(rig: Rig, tmp_path: Path) -> None:
    await stand(rig)
    settle(rig.store)
    for statement, table, words in TAMPERED:
        with rig.store.begin() as rows:
            connection = rows._connection  # noqa: SLF001 - as its administrator could
            point = connection.begin_nested()
            connection.execute(text(statement))
            told = look(rig, rows, tmp_path)
            point.rollback()
        assert {one.table for one in told} == {table}, statement
        assert any(words in one.what for one in told), statement


async def test_of_entries_that_have_run_out_nothing_is_said(rig: Rig, tmp_path: Path) -> None:
    await stand(rig)
    rig.clock.advance(24 * 31 * 24 * HOUR)
    await Oblivion.over(rig, tmp_path).retention().turn()
    settle(rig.store)
    with rig.store.read() as view:
        assert view.standing_rows("hold_back")[0]["tenant"] == TENANT
    assert faults(rig, tmp_path) == []
    change(rig, "DELETE FROM legal_hold")
    assert {one.table for one in faults(rig, tmp_path)} == {"legal_hold"}
