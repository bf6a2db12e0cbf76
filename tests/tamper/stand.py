"""A log with something in every table, published, to be tampered with as a file.

All but the index by terms, whose blocks have 1,024 entries: `tests/unit/guard/fsck/test_blocks.py`.
"""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import anyio

from guard.clock import MINUTE, ManualClock
from guard.entries import Receipt
from guard.exports import ExportFormat
from guard.exports.order import ExportOrder
from guard.fsck import FsckReport, Kept, NothingForgotten, check_store
from guard.ledger.note import NoteSigner
from guard.rows import LogQuery
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from guard.store.sql_store import SqlReader
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.model import Role
from tests.support.makers import TENANT
from tests.support.rig import Rig, make_caller, open_rig, row_of
from tests.tamper.standing import stand_for
from tests.tamper.waiting import wait

AUDITOR = make_caller("aud", role=Role.AUDITOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A data folder that nobody writes any more, its keys, and what was promised."""

    folder: Path
    keyring: Keyring
    signer: NoteSigner
    refs: tuple[str, ...]
    receipts: tuple[Receipt, ...]

    @property
    def database(self) -> Path:
        return self.folder / "ledger.db"

    def copy(self, target: Path) -> "Stand":
        """The same in another folder; the keys are shared."""
        shutil.copytree(self.folder, target)
        return Stand(
            folder=target,
            keyring=self.keyring,
            signer=self.signer,
            refs=self.refs,
            receipts=self.receipts,
        )

    def sql(self, statement: str, *values: object) -> int:
        """Change the database as its administrator could; returns how many rows."""
        with closing(sqlite3.connect(self.database)) as file, file:
            return file.execute(statement, values).rowcount

    def one(self, statement: str, *values: object) -> tuple[object, ...]:
        """A row."""
        with closing(sqlite3.connect(self.database)) as file:
            found: tuple[object, ...] = file.execute(statement, values).fetchone()
            return found

    def fsck(self, *, receipts: bool = False) -> FsckReport:
        """Check it."""
        mark = self.folder / "high-water"
        kept = Kept(
            log_dir=self.folder / "log",
            high_water=mark.read_bytes() if mark.is_file() else None,
            receipts=self.receipts if receipts else (),
        )
        with SqlReader(sqlite_url(self.database)) as store, store.read() as view:
            return check_store(
                view,
                EntryVault(self.keyring),
                self.signer.verifier,
                kept,
                explained=NothingForgotten(),
            )


async def _fill(rig: Rig) -> list[Receipt]:
    """Views of customers by two agents, two late cases, an export, the look of an auditor."""
    agents = [make_caller("a1"), make_caller("a2")]
    await rig.directory.put(make_caller("desk"), [row_of(one) for one in (*agents, AUDITOR)])
    *refs, late, later = await rig.customers(6)
    receipts = []
    for turn, ref in enumerate(refs):
        for agent in agents:
            rig.clock.advance(MINUTE)
            shown = await rig.broker.view(agent, rig.asks(ref, await rig.case(ref, agent.id)))
            receipts.append(shown.receipt)
        if turn % 2:
            await publish(rig)
    await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, ref=refs[0], limit=10))
    order = ExportOrder(format=ExportFormat.NDJSON, query=LogQuery(tenant=TENANT, limit=10))
    async for _ in (await rig.exports.export(AUDITOR, order)).pieces:
        pass
    for ref in (late, later):
        rig.clock.advance(MINUTE)
        await rig.broker.view(agents[0], rig.asks(ref, reason="no ticket yet"))
        rig.clock.advance(MINUTE)
        await rig.case(ref, "a1")
    await publish(rig)
    await stand_for(rig, refs, receipts[0])
    for ref in refs:
        rig.clock.advance(MINUTE)
        await rig.case(ref, "a2")
    return receipts


async def publish(rig: Rig) -> None:
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())


def build(folder: Path, template: Path, clock: ManualClock, *, waiting: bool = True) -> Stand:
    """Fill a store, publish it, leave some entries pending, and let go of it."""
    folder.mkdir()
    database = folder / "ledger.db"
    shutil.copy(template, database)
    store = SqlStore(sqlite_url(database))
    try:
        with open_rig(store, clock, folder) as rig:
            receipts = anyio.run(_fill, rig)
            keyring = rig.keyring
            with store.read() as view:
                refs = tuple(one.ref for one in view.subjects_after(TENANT, "", 10))
        if waiting:
            wait(store, keyring, refs, clock.now())
    finally:
        store.close()
    with closing(sqlite3.connect(database)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode=DELETE")
    return Stand(
        folder=folder,
        keyring=keyring,
        signer=NoteSigner("t", keyring.signing_key("t")),
        refs=refs,
        receipts=tuple(receipts),
    )
