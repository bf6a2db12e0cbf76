from dataclasses import replace
from typing import Any

import pytest

from guard.backtest.report import Report, TeamRow, percent


def team(name: str = "T", **changes: Any) -> TeamRow:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "team": name,
        "requests": 20_000,
        "newly_refused": 3,
        "newly_allowed": 0,
        "honest": 12_904,
        "honest_refused": 3,
        "honest_covered": 0,
    }
    return TeamRow(**values | changes)


def report(*teams: TeamRow, **changes: Any) -> Report:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "digest": "d",
        "entries": 0,
        "decided": 0,
        "repaired": 0,
        "facts": 0,
        "bad": 438,
        "bad_stopped": 431,
        "customers_seen": 311,
        "customers_still_seen": 18,
        "honest": 12_904,
        "honest_refused": sum(row.honest_refused for row in teams),
        "newly_refused": 0,
        "newly_allowed": 0,
        "acts": (),
        "teams": teams,
        "classes": (),
        "refused_by": (),
        "not_replayed": (),
        "assumed": (),
    }
    return Report(**values | changes)


def test_the_sentence_has_the_numbers_that_decide() -> None:
    assert report(team()).sentence == (
        "this bundle would have stopped 431 of the 438 views behind confirmed alerts (18 customers "
        "seen instead of 311) and refused 3 of 12,904 honest ones (0.02 %), all in team T"
    )


def test_several_teams_and_teams_without_a_name() -> None:
    two = report(team(), team("", honest_refused=9))
    assert two.sentence.endswith(
        "refused 12 of 12,904 honest ones (0.09 %), 9 of them in team without a name"
    )
    assert "team" not in report(team(honest_refused=0)).sentence
    assert report(bad=0).sentence.startswith("nothing is confirmed to have been bad; this bundle")


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "0.00 %"),
        (0, 9, "0.00 %"),
        (1, 1_000_000, "under 0.01 %"),
        (1, 3, "33.33 %"),
        (9, 9, "100.00 %"),
    ],
)
def test_a_share_that_is_not_nothing_never_reads_as_nothing(
    part: int, whole: int, said: str
) -> None:
    assert percent(part, whole) == said


def test_a_team_is_ready_when_its_honest_work_goes_on() -> None:
    ready = team(honest_refused=0)
    assert (ready.is_ready, ready.advice) == (True, "team T is ready: 0.00 % honest work refused")
    assert team(honest_refused=12).is_ready
    late = team(honest_refused=13)
    assert (late.is_ready, late.advice) == (
        False,
        "team T is not ready: 0.10 % honest work refused",
    )
    few = replace(ready, honest=99)
    assert not few.is_ready
    assert few.advice == "team T has too little honest work to tell: 99 requests"
    assert team(honest=0, honest_refused=0).refused_share == 0
