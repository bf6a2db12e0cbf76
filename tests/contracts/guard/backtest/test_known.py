"""What confirmed alerts say, on both engines."""

from dataclasses import replace

import pytest

from guard.backtest import known
from guard.backtest.known import known_bad
from guard.rows import AlertState
from guard.store import SqlStore
from tests.support.makers import TENANT, make_alert


def test_only_confirmed_alerts_of_the_tenant_count_however_many_there_are(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "ALERTS_AT_ONCE", 2)
    base = make_alert("alr-0").finding
    with store.begin() as rows:
        for n in range(5):
            found = replace(
                base,
                evidence=(n,),
                agent_ids=("a1", f"b{n}"),
                first_event_at=10 * n,
                raised_at=10 * n + 5,
            )
            state = AlertState.DISMISSED if n == 4 else AlertState.CONFIRMED
            rows.put_alert(make_alert(f"alr-{n}", state=state, finding=found, key=f"k{n}"))
        rows.put_alert(make_alert("alr-9", state=AlertState.CONFIRMED, tenant="other"))
    with store.read() as view:
        bad = known_bad(view, TENANT)
    assert bad.evidence == {0, 1, 2, 3}
    assert set(bad.times) == {"a1", "b0", "b1", "b2", "b3"}
    assert set(bad.times["a1"]) == {(0, 5), (10, 15), (20, 25), (30, 35)}
