from detectors.floor_actions import (
    Assigned,
    CaseClosed,
    CaseOpened,
    Habit,
    Insider,
    View,
    in_order,
)
from policies.model import Link, Purpose


def test_at_one_instant_a_case_is_opened_given_seen_and_closed_in_this_order() -> None:
    opened = CaseOpened(at=1, case_id="k", customer=1, channel="phone")
    given = Assigned(at=1, case_id="k", customer=1, agent_id="a", how="inbound")
    seen = View(
        at=1,
        agent_id="a",
        customer=1,
        case_id="k",
        purpose=Purpose.SUPPORT_CASE,
        link=Link.OWNER,
    )
    closed = CaseClosed(at=1, case_id="k", customer=1)
    assert in_order([closed, seen, given, opened]) == [opened, given, seen, closed]


def test_a_habit_without_an_end_goes_on() -> None:
    insider = Insider(habit=Habit.SLOW, agents=("a",), from_day=3)
    assert [insider.is_active(d) for d in (2, 3, 99)] == [False, True, True]
