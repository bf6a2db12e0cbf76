"""Walking all customers page by page; looking one up is `tests/contracts/guard`'s business."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.clock import HOUR, ManualClock
from guard.entries import SYSTEM, EntryKind
from guard.rows import IdentifierRow
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.makers import TENANT, make_entry
from tests.support.rig import Rig, open_rig

pytestmark = pytest.mark.anyio


@pytest.fixture
def rig(sqlite_template: Path, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    store = SqlStore(sqlite_url(ledger))
    with open_rig(store, clock, tmp_path) as opened:
        yield opened
    store.close()


def walk(rig: Rig, since: int | None = None, tenant: str = TENANT) -> list[str]:
    found: list[str] = []
    with rig.store.read() as view:
        while page := view.subjects_after(tenant, found[-1] if found else "", 2, since):
            assert len(page) <= 2
            found += [row.ref for row in page]
    return found


def index(rig: Rig, refs: list[str]) -> None:
    with rig.store.begin() as rows:
        for ref in refs:
            row = IdentifierRow(tenant=TENANT, kind="email", blind=ref.encode(), ref=ref)
            rows.put_identifiers(TENANT, ref, {"email"}, [row])


async def test_every_customer_of_the_tenant_is_met_once(rig: Rig) -> None:
    refs = await rig.customers(5)
    assert walk(rig) == sorted(refs)
    assert walk(rig, tenant="globex") == []


async def test_since_names_who_was_touched_and_who_was_never_indexed(rig: Rig) -> None:
    refs = await rig.customers(4)
    index(rig, refs[:3])
    named, early = (make_entry(EntryKind.CASE, ref) for ref in refs[:2])
    by_index = make_entry(EntryKind.CUSTOMER, refs[2], agent=SYSTEM)
    await rig.committer.run(lambda tx: tx.record(early))
    rig.clock.advance(HOUR)
    await rig.committer.run(lambda tx: (tx.record(named), tx.record(by_index)))
    assert walk(rig, since=rig.clock.now() - 1) == sorted((refs[0], refs[3]))


async def test_only_the_named_kinds_are_replaced(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    index(rig, [ref])
    phone = IdentifierRow(tenant=TENANT, kind="phone", blind=b"p", ref=ref)
    with rig.store.begin() as rows:
        rows.put_identifiers(TENANT, ref, {"phone"}, [phone])
        rows.put_identifiers(TENANT, ref, (), [phone])
        assert [row.kind for row in rows.identifiers_of(TENANT, ref)] == ["email", "phone"]
        rows.put_identifiers(TENANT, ref, {"email", "account"}, [])
        assert rows.identifiers_of(TENANT, ref) == [phone]
