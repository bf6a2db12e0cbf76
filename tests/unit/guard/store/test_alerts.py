from dataclasses import replace

from guard.clock import HOUR
from guard.rows import ResponseKind
from guard.store import SqlStore
from tests.support.makers import NOON, TENANT, make_alert, make_response

KEY = "agent:acme/a1"


def test_a_finding_comes_back_with_its_numbers(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.put_alert(make_alert())
        found = rows.alert(TENANT, "01")
    assert found is not None
    assert found.finding == make_alert().finding


def test_the_longest_response_of_a_kind_decides(sqlite_store: SqlStore) -> None:
    short = make_response("r1")
    long = make_response("r2", ends_at=NOON + 5 * HOUR)
    with sqlite_store.begin() as rows:
        rows.put_response(long)
        rows.put_response(short)
        assert rows.lock_principals([KEY])[KEY].suspended_until == long.ends_at
        rows.put_response(replace(long, ended_at=NOON))
        assert rows.lock_principals([KEY])[KEY].suspended_until == short.ends_at


def test_a_response_is_in_force_from_its_start_to_before_its_end(sqlite_store: SqlStore) -> None:
    response = make_response(kind=ResponseKind.NOTIFY)
    with sqlite_store.begin() as rows:
        rows.put_response(response)
        found = [
            len(rows.responses(TENANT, key=KEY, active_at=at))
            for at in (NOON - 1, NOON, response.ends_at - 1, response.ends_at)
        ]
    assert found == [0, 1, 1, 0]
