from dataclasses import replace

from guard.rows import HoldRow, HoldScope
from guard.store import SqlStore
from tests.support.makers import NOON, TENANT

HOLD = HoldRow(
    id="hold-1",
    tenant=TENANT,
    scope=HoldScope.TIME,
    value="",
    ref=None,
    since=NOON,
    until=None,
    ground="investigation",
    matter="I-1",
    set_by="ana",
    set_at=NOON,
)


def test_holds_are_found_by_tenant_and_those_in_force_apart(sqlite_store: SqlStore) -> None:
    lifted = replace(HOLD, id="hold-2", set_at=NOON - 1, lifted_by="ben", lifted_at=NOON)
    with sqlite_store.begin() as rows:
        for one in (HOLD, lifted, replace(HOLD, tenant="other")):
            rows.put_hold(one)
    with sqlite_store.read() as view:
        assert view.hold(TENANT, "hold-1") == HOLD
        assert view.hold(TENANT, "hold-9") is None
        assert view.holds(TENANT) == [lifted, HOLD]
        assert view.holds_in_force(TENANT) == [HOLD]
