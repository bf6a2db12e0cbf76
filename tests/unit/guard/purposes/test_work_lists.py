"""The parts that the broker asks: the pace of a list, its field set."""

import pytest

from guard.purposes.work_lists import limited, pace_binding
from guard.quotas import Exceeded, Spent, consume
from guard.rows import BudgetState
from policies.model import BudgetKey, Measure, Window
from tests.support.makers import NOON, make_work_list


def test_a_list_without_a_pace_binds_nothing() -> None:
    assert pace_binding(make_work_list(), "agent:acme/a1") is None


def test_the_pace_of_a_list_is_a_budget_of_each_agent_on_that_list() -> None:
    binding = pace_binding(make_work_list("w1", pace=2), "agent:acme/a1")
    assert binding is not None
    assert (binding.key, binding.limit) == ("agent:acme/a1#list:w1", 2)
    budget = binding.budget
    assert (budget.name, budget.key) == ("work-list-pace", BudgetKey.WORK_LIST)
    assert (budget.measure, budget.window) == (Measure.CUSTOMERS, Window.HOUR)
    state = BudgetState(counters={}, marks={}, expired={}, slots={})
    asked = [consume(state, (binding,), ref, NOON) for ref in ("c1", "c2", "c1", "c3")]
    assert [type(answer) for answer in asked] == [Spent, Spent, Spent, Exceeded]


@pytest.mark.parametrize(
    ("asked", "fields", "planned"),
    [
        (None, None, None),
        (("phone", "iban"), None, ("phone", "iban")),
        (None, ("phone",), ("phone",)),
        (("iban", "phone"), ("phone", "email"), ("phone",)),
        (("iban",), ("phone",), ()),
    ],
)
def test_a_list_shows_its_own_fields_at_most(
    asked: tuple[str, ...] | None, fields: tuple[str, ...] | None, planned: tuple[str, ...] | None
) -> None:
    assert limited(asked, make_work_list(fields=fields)) == planned


def test_without_a_list_all_that_was_asked_for_is_planned() -> None:
    assert limited(["phone"], None) == ("phone",)
