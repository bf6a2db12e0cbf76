from dataclasses import replace

import pytest

from guard.errors import AccessDeniedError
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import PrincipalRow
from policies.model import ActorKind, Role


def row(name: str, *line: str) -> PrincipalRow:
    return PrincipalRow(
        id=name,
        tenant="t",
        region="eu",
        vendor="v",
        site="s",
        team="x",
        line=line,
        role=Role.LEAD,
        kind=ActorKind.HUMAN,
        shift=None,
    )


def caller(name: str, *line: str) -> Principal:
    return Principal(
        id=name,
        tenant="t",
        region="eu",
        vendor="v",
        site="s",
        team="x",
        line=line,
        role=Role.LEAD,
        kind=ActorKind.HUMAN,
        actor=None,
        client="c",
        session="s",
        scopes=frozenset(),
        shift=None,
        mfa_at=None,
    )


def test_somebody_with_another_manager_may_approve_below_one_common_head() -> None:
    require_second_person(row("a", "m1", "head"), caller("b", "m2", "head"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (None, caller("b")),
        (row("a"), caller("a")),
        (row("a", "b"), caller("b")),
        (row("a"), caller("b", "a")),
        (row("a", "m"), caller("b", "m")),
    ],
)
def test_one_person_one_line_or_one_manager_is_no_second_person(
    first: PrincipalRow | None, second: Principal
) -> None:
    with pytest.raises(AccessDeniedError):
        require_second_person(first, second)


@pytest.mark.parametrize(
    "second",
    [replace(caller("b", "n"), kind=ActorKind.SERVICE), replace(caller("b", "n"), actor="ai-1")],
    ids=["service", "ai"],
)
def test_nobody_who_is_no_person_is_a_second_one(second: Principal) -> None:
    with pytest.raises(AccessDeniedError, match="a person must approve"):
        require_second_person(row("a", "m"), second)
