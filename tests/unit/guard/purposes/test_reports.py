from dataclasses import replace

import pytest

from guard.purposes.reports import AssignmentPut, CasePut, ended, is_late, is_own, merged, told
from policies.model import ActorKind
from tests.support.makers import make_case, make_principal, make_subject
from tests.support.rig import make_caller

PUT = CasePut(id="k1", customer="c1", channel="phone", opened_at=1, as_of=5)


@pytest.mark.parametrize(
    ("known", "as_of", "closed", "late"),
    [(5, 4, None, True), (5, 5, None, False), (5, 6, None, False), (5, 5, 3, True)],
)
def test_a_report_is_late_after_a_newer_one_and_never_reopens_at_the_same_time(
    known: int, as_of: int, closed: int | None, *, late: bool
) -> None:
    old = make_case(as_of=known, closed_at=closed)
    assert is_late(old, PUT, as_of) is late


def test_a_put_without_a_time_may_reopen_at_once() -> None:
    assert not is_late(make_case(as_of=5, closed_at=3), replace(PUT, as_of=None), 5)


def test_holds_of_an_older_report_are_over_by_the_newer_one() -> None:
    puts = tuple(
        AssignmentPut(agent="a1", how="inbound", from_at=start, to_at=end)
        for start, end in ((1, None), (2, 3), (9, None))
    )
    asked = replace(PUT, assignments=puts)
    assert ended(asked, 6, 6) == asked
    assert [p.to_at for p in ended(asked, 5, 6).assignments] == [6, 3, 9]


def test_an_opener_and_a_checked_customer_are_not_forgotten() -> None:
    subject = make_subject()
    mailed = replace(PUT, found_by="email")
    new = merged(mailed, subject, None, 5, "bot")
    assert (new.opened_by, new.found_by, new.held_as_of) == ("bot", "email", 0)
    assert told(new)["found_by"] == "email"
    again = merged(mailed, subject, replace(new, found_by=None, held_as_of=4), 6, "other")
    assert (again.opened_by, again.found_by, again.held_as_of) == ("bot", None, 4)
    assert "found_by" not in told(again)
    assert merged(replace(PUT, opened_by="a7"), subject, None, 5, "bot").opened_by == "a7"


def test_ones_own_are_oneself_and_the_machines_below() -> None:
    sync = make_caller("sync", client="tool")
    bot = make_principal("bot", kind=ActorKind.AI, line=("sync",))
    assert is_own(sync, "sync", None)
    assert is_own(sync, "tool", None)
    assert is_own(sync, "bot", bot)
    assert not is_own(sync, "bot", replace(bot, line=("other",)))
    assert not is_own(sync, "bot", replace(bot, kind=ActorKind.HUMAN))
    assert not is_own(sync, "nobody", None)
