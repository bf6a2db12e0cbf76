from dataclasses import replace

import pytest

from guard.errors import GuardError
from guard.rows import ActivationRow, ActivationState
from guard.store import SqlStore
from tests.support.makers import TENANT

ROW = ActivationRow(
    id="pol-1",
    tenant=TENANT,
    digest="d",
    state=ActivationState.PROPOSED,
    because="fewer fields",
    proposed_by="ana",
    proposed_at=5,
)


def test_activations_are_kept_and_listed_by_tenant_oldest_first(sqlite_store: SqlStore) -> None:
    later = replace(ROW, id="pol-0", proposed_at=6, rolled_back_from="pol-1", activated_at=7)
    with sqlite_store.begin() as rows:
        for row in (later, ROW, replace(ROW, tenant="other", because="theirs")):
            rows.put_activation(row)
        rows.put_activation(replace(ROW, approved_by="ben", approved_at=9))
    with sqlite_store.read() as view:
        known = replace(ROW, approved_by="ben", approved_at=9)
        assert view.activations(TENANT) == [known, later]
        assert view.activation(TENANT, "pol-1") == known
        assert view.activation("nobody", "pol-1") is None
        assert view.active_policies() == []


def test_rollbacks_that_nobody_reviewed_are_found_in_every_tenant(sqlite_store: SqlStore) -> None:
    back = replace(
        ROW, state=ActivationState.RETIRED, rolled_back_from="pol-0", activated_at=7, retired_at=9
    )
    with sqlite_store.begin() as rows:
        rows.put_activation(back)
        rows.put_activation(replace(back, tenant="other", activated_at=6))
        rows.put_activation(replace(back, id="pol-2", approved_by="ben"))
        rows.put_activation(replace(back, id="pol-3", rolled_back_from=None))
    with sqlite_store.read() as view:
        found = view.overdue_rollbacks(7, 9)
        assert [(row.tenant, row.id) for row in found] == [("other", "pol-1"), (TENANT, "pol-1")]
        assert [row.tenant for row in view.overdue_rollbacks(6, 9)] == ["other"]
        assert len(view.overdue_rollbacks(7, 1)) == 1


def test_of_each_tenant_at_most_one_is_active(sqlite_store: SqlStore) -> None:
    active = replace(ROW, state=ActivationState.ACTIVE)
    with sqlite_store.begin() as rows:
        rows.put_activation(active)
        rows.put_activation(replace(active, tenant="other"))
    with pytest.raises(GuardError), sqlite_store.begin() as rows:
        rows.put_activation(replace(active, id="pol-2"))
    with sqlite_store.read() as view:
        assert [(row.tenant, row.id) for row in view.active_policies()] == [
            (TENANT, "pol-1"),
            ("other", "pol-1"),
        ]
