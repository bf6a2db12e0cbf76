"""A small floor of the demo: who is on it, and who of them is the insider."""

from collections import Counter

import pytest

from api.cli.demo.cast import (
    ANALYST,
    AUDITOR,
    BOT_OWNER,
    DIRECTOR,
    SYNC,
    TENANT,
    WARM_DAYS,
    Cast,
    acting,
    choose,
    directory,
)
from detectors.floor_actions import View
from guard.clock import DAY
from guard.rows import PrincipalRow
from policies.model import ActorKind, Role
from tests.support.makers import NOON

MIDNIGHT = NOON // DAY * DAY


@pytest.fixture(scope="module")
def cast() -> Cast:
    return choose(7, MIDNIGHT, customers=300, agents=60)


@pytest.fixture(scope="module")
def people(cast: Cast) -> dict[str, PrincipalRow]:
    return {row.id: row for row in directory(cast)}


def test_the_same_seed_gives_the_same_day(cast: Cast) -> None:
    again = choose(7, MIDNIGHT, customers=300, agents=60)
    assert (again.insider, again.actions) == (cast.insider, cast.actions)


def test_the_insider_is_of_the_front_line(cast: Cast) -> None:
    assert cast.insider in cast.floor.front_line()


def test_only_the_insider_looks_without_a_reason(cast: Cast) -> None:
    dishonest = {a.agent_id for a in cast.actions if isinstance(a, View) and a.truth != "honest"}
    assert dishonest == {cast.insider}


def test_she_begins_on_the_day_that_is_shown(cast: Cast) -> None:
    before = [a for day in cast.warm_up for a in cast.floor.day(day) if isinstance(a, View)]
    assert before
    assert all(a.truth == "honest" for a in before)


def test_the_day_that_is_shown_follows_those_that_are_learnt(cast: Cast) -> None:
    assert cast.warm_up == range(WARM_DAYS)
    views = [a.at for a in cast.actions if isinstance(a, View)]
    # Night shifts of the far side of the world reach into the next day.
    assert Counter((at - MIDNIGHT) // DAY for at in views).most_common(1)[0][0] == 0
    assert min(views) >= MIDNIGHT


def test_everybody_has_a_place_of_their_own_in_the_tenant(cast: Cast) -> None:
    rows = directory(cast)
    assert len({row.id for row in rows}) == len(rows)
    assert {row.tenant for row in rows} == {TENANT}


def test_everybody_who_acts_is_in_the_directory(
    cast: Cast, people: dict[str, PrincipalRow]
) -> None:
    assert {a.agent_id for a in cast.actions if isinstance(a, View)} <= people.keys()


def test_a_line_leads_to_people_of_the_directory(people: dict[str, PrincipalRow]) -> None:
    assert {above for row in people.values() for above in row.line} <= people.keys()


def test_an_agents_line_ends_at_the_manager_of_their_vendor(
    cast: Cast, people: dict[str, PrincipalRow]
) -> None:
    for profile in cast.floor.agents:
        assert people[profile.agent_id].line[-1] == f"manager-{profile.vendor}"


@pytest.mark.parametrize(
    ("name", "role", "kind"),
    [
        (ANALYST, Role.ANALYST, ActorKind.HUMAN),
        (AUDITOR, Role.AUDITOR, ActorKind.HUMAN),
        (DIRECTOR, Role.MANAGER, ActorKind.HUMAN),
        (BOT_OWNER, Role.MANAGER, ActorKind.HUMAN),
        (SYNC, Role.SERVICE, ActorKind.SERVICE),
    ],
)
def test_those_beside_the_floor_are_there(
    people: dict[str, PrincipalRow], name: str, role: Role, kind: ActorKind
) -> None:
    assert (people[name].role, people[name].kind) == (role, kind)


def test_an_ai_agent_is_one_and_has_no_shift(cast: Cast, people: dict[str, PrincipalRow]) -> None:
    bots = [people[p.agent_id] for p in cast.floor.agents if p.kind == "ai"]
    assert bots
    assert all(row.kind is ActorKind.AI and row.shift is None for row in bots)


def test_a_person_works_every_day_and_some_hours_longer_than_planned(
    cast: Cast, people: dict[str, PrincipalRow]
) -> None:
    profile = next(p for p in cast.floor.agents if p.shift_start is not None)
    shift = people[profile.agent_id].shift
    assert shift is not None
    assert (shift.start, shift.tz) == (profile.shift_start, profile.tz)
    assert (shift.end - shift.start) % (24 * 60) == 11 * 60
    assert shift.days == frozenset(range(1, 8))


def test_somebody_acts_from_the_shell_in_their_own_place(people: dict[str, PrincipalRow]) -> None:
    who = acting(people[SYNC], frozenset({"cases:write"}))
    assert (who.id, who.tenant, who.role, who.client) == (SYNC, TENANT, Role.SERVICE, "shell")
    assert who.scopes == {"cases:write"}
