from types import SimpleNamespace
from typing import Any

import pytest

from guard.clock import DAY, HOUR
from guard.quotas import SLOT
from guard.rows import BudgetState, Counter
from guard.store import SqlStore
from guard.store.budgets import locked_principal
from policies.model import Risk, Window
from tests.support.makers import NOON

KEY = "agent:acme/a1"


def row(**until: int | None) -> Any:  # noqa: ANN401 - stands for a row
    rungs = dict.fromkeys(
        ("suspended_until", "notified_until", "mask_more_until", "explained_only_until")
    )
    return SimpleNamespace(key=KEY, **rungs | until)


@pytest.mark.parametrize(
    ("until", "risk"),
    [
        ({}, Risk.NONE),
        ({"notified_until": 11}, Risk.NOTIFIED),
        ({"notified_until": 11, "mask_more_until": 11}, Risk.MASK_MORE),
        ({"mask_more_until": 11, "explained_only_until": 11}, Risk.EXPLAINED_ONLY),
        ({"mask_more_until": 11, "explained_only_until": 10}, Risk.MASK_MORE),
    ],
)
def test_risk_is_the_hardest_rung_in_force(until: dict[str, int], risk: Risk) -> None:
    assert locked_principal(row(**until), 10).risk is risk


def test_slots_open_to_a_refund_are_loaded(sqlite_store: SqlStore) -> None:
    first = NOON - NOON % SLOT
    slots = {(KEY, first + n * SLOT): n + 1 for n in range(10)}
    day = Counter(key=KEY, measure="views", window=Window.DAY, used=55, edge=first - DAY)
    state = BudgetState(
        counters={(KEY, "views", Window.DAY): day}, marks={}, expired={}, slots=slots
    )
    with sqlite_store.begin() as rows:
        rows.save_budgets(state)
    now = first + 9 * SLOT
    with sqlite_store.begin() as rows:
        assert set(rows.lock_budgets([KEY], [], now).slots.values()) == {9, 10}
        assert len(rows.lock_budgets([KEY], [], now, first + 3 * SLOT).slots) == 7
        # Slots that left the window come too, those in between do not.
        later = rows.lock_budgets([KEY], [], first + DAY + 2 * SLOT)
    assert set(later.slots.values()) == {1, 2}


def test_oldest_charges_tell_when_something_comes_back(sqlite_store: SqlStore) -> None:
    counter = Counter(key=KEY, measure="customers", window=Window.DAY, used=2, edge=NOON - DAY)
    state = BudgetState(
        counters={(KEY, "customers", Window.DAY): counter},
        marks={(KEY, "c1"): NOON, (KEY, "c2"): NOON + HOUR},
        expired={},
        slots={},
    )
    with sqlite_store.begin() as rows:
        rows.save_budgets(state)
    with sqlite_store.read() as view:
        assert view.budget_state([KEY], [], NOON + 2 * HOUR).oldest == {(KEY, "customers"): NOON}
        later = view.budget_state([KEY], [], NOON + DAY)
    assert later.oldest == {(KEY, "customers"): NOON + HOUR}
    assert later.expired == {(KEY, Window.DAY): [NOON]}
