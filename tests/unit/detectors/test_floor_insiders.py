from dataclasses import replace

import numpy as np
import pytest

from detectors.floor_actions import Action, Assigned, CaseOpened, Habit, View
from detectors.floor_insiders import USUAL, Chance, plan
from guard.clock import HOUR
from policies.model import Link
from tests.unit.detectors.making import MONDAY, NINE


def _chance(habit: Habit) -> Chance:
    return Chance(
        agent_id="ann",
        device="desk-ann",
        shift=(NINE, NINE + 8 * HOUR),
        midnight=MONDAY,
        day=0,
        queue=[11, 12, 13],
        protected=[500],
        customers=1000,
        count=USUAL[habit],
        rng=np.random.default_rng(1),
    )


def _views(actions: list[Action]) -> list[View]:
    return sorted((a for a in actions if isinstance(a, View)), key=lambda v: v.at)


@pytest.mark.parametrize("habit", list(Habit))
def test_every_habit_names_itself_and_the_agent(habit: Habit) -> None:
    views = _views(plan(habit, _chance(habit)))
    assert views
    assert {(v.truth, v.agent_id) for v in views} == {(habit, "ann")}
    assert all(1 <= v.customer <= 1000 for v in views)


@pytest.mark.parametrize("habit", [h for h in Habit if h is not Habit.OFF_SHIFT])
def test_habits_show_during_the_shift(habit: Habit) -> None:
    views = _views(plan(habit, _chance(habit)))
    assert all(NINE <= v.at <= NINE + 8 * HOUR for v in views)


def test_a_photographer_keeps_an_even_beat_through_colleagues_queues() -> None:
    views = _views(plan(Habit.PHOTOGRAPHER, _chance(Habit.PHOTOGRAPHER)))
    assert {v.customer for v in views} <= {11, 12, 13}
    assert {v.link for v in views} == {Link.NONE}
    assert len(views) > 100


def test_a_self_opened_case_comes_before_its_view() -> None:
    actions = plan(Habit.SELF_OPENED, _chance(Habit.SELF_OPENED))
    opened = [a for a in actions if isinstance(a, CaseOpened)]
    taken = [a for a in actions if isinstance(a, Assigned)]
    assert {a.opened_by for a in opened} == {"ann"}
    assert {a.how for a in taken} == {"self"}
    assert len(opened) == len(taken) == USUAL[Habit.SELF_OPENED]


def test_a_walker_takes_neighbours() -> None:
    customers = [v.customer for v in _views(plan(Habit.WALKER, _chance(Habit.WALKER)))]
    assert customers == list(range(customers[0], customers[0] + USUAL[Habit.WALKER]))


@pytest.mark.parametrize("begin_h", [2, 15])
def test_an_off_shift_sweep_lies_outside_the_shift_and_within_the_day(begin_h: int) -> None:
    begin = MONDAY + begin_h * HOUR
    chance = replace(_chance(Habit.OFF_SHIFT), shift=(begin, begin + 8 * HOUR))
    views = _views(plan(Habit.OFF_SHIFT, chance))
    assert not any(begin <= v.at < begin + 8 * HOUR for v in views)
    assert all(MONDAY <= v.at < MONDAY + 24 * HOUR for v in views)


def test_a_celebrity_snooper_sees_protected_customers() -> None:
    assert {v.customer for v in _views(plan(Habit.VIP, _chance(Habit.VIP)))} == {500}
