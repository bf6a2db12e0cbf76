"""Hold-backs and disputes in the store, on both engines."""

from dataclasses import replace

from guard.rows import DisputeRow, HoldBackRow
from guard.store import SqlStore
from tests.support.makers import TENANT

ROW = HoldBackRow(
    id="hbk-1",
    tenant=TENANT,
    agent_id="a1",
    ref="",
    since=0,
    until=10,
    reason="x",
    proposed_by="ana",
    proposed_at=5,
    ends_at=100,
)


def test_a_hold_back_is_found_until_it_ends(store: SqlStore) -> None:
    early, ended = replace(ROW, id="hbk-2", ends_at=20), replace(ROW, id="hbk-3", ended_at=30)
    with store.begin() as rows:
        for row in (ROW, early, ended, replace(ROW, tenant="other")):
            rows.put_hold_back(row)
    with store.read() as view:
        assert view.hold_back(TENANT, "hbk-1") == ROW
        assert view.hold_back(TENANT, "hbk-9") is None
        assert view.hold_backs(TENANT, 19) == [ROW, early, ended]
        assert view.hold_backs(TENANT, 20) == [ROW, ended]
        assert view.hold_backs(TENANT, 30) == [ROW]
        assert view.hold_backs(TENANT, 100) == []


def test_it_is_replaced_by_its_approval(store: SqlStore) -> None:
    approved = replace(ROW, approved_by="ben", approved_at=6)
    with store.begin() as rows:
        rows.put_hold_back(ROW)
        rows.put_hold_back(approved)
        assert rows.hold_back(TENANT, ROW.id) == approved


def test_the_first_dispute_of_an_entry_stands(store: SqlStore) -> None:
    first = DisputeRow(tenant=TENANT, of="ab", id="d1", ref="r1", at=1)
    with store.begin() as rows:
        rows.put_dispute(first)
        rows.put_dispute(replace(first, id="d2", at=2))
    with store.read() as view:
        assert view.dispute(TENANT, "ab") == first
        assert view.dispute("other", "ab") is None
