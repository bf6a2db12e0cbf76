import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.directory import MAX_BATCH, PrincipalBody, PrincipalsBody, ShiftBody
from api.schemas.parse import parse
from guard.principals import Shift
from guard.rows import PrincipalRow
from policies.model import ActorKind, Role

SHIFT = {"tz": "Europe/Berlin", "start": "22:15", "end": "06:45", "days": [1, 7, 7]}
PERSON = {"id": "a1", "role": "agent"}


def test_a_shift_is_kept_in_minutes_of_the_day() -> None:
    assert parse(ShiftBody, json.dumps(SHIFT).encode()).row() == Shift(
        tz="Europe/Berlin", start=22 * 60 + 15, end=6 * 60 + 45, days=frozenset({1, 7})
    )


@pytest.mark.parametrize("time", ["24:00", "09:60", "9:00", "09:00:00", "0900", ""])
def test_what_is_no_time_of_day_is_refused(time: str) -> None:
    with pytest.raises(RequestValidationError):
        parse(ShiftBody, json.dumps(SHIFT | {"start": time}).encode())


@pytest.mark.parametrize("days", [[], [0], [8], [1] * 8])
def test_days_are_those_of_one_week(days: list[int]) -> None:
    with pytest.raises(RequestValidationError):
        parse(ShiftBody, json.dumps(SHIFT | {"days": days}).encode())


def test_somebody_is_an_active_human_unless_said_otherwise() -> None:
    assert parse(PrincipalBody, json.dumps(PERSON).encode()).row("acme") == PrincipalRow(
        id="a1",
        tenant="acme",
        region="",
        vendor="",
        site="",
        team="",
        line=(),
        role=Role.AGENT,
        kind=ActorKind.HUMAN,
        shift=None,
        is_active=True,
    )


def test_everything_that_is_said_is_kept() -> None:
    said = PERSON | {
        "region": "eu",
        "vendor": "v1",
        "site": "s1",
        "team": "t1",
        "line": ["lee", "max"],
        "kind": "ai",
        "shift": SHIFT,
        "active": False,
    }
    row = parse(PrincipalBody, json.dumps(said).encode()).row("acme")
    assert (row.region, row.vendor, row.site, row.team) == ("eu", "v1", "s1", "t1")
    assert (row.line, row.kind, row.is_active) == (("lee", "max"), ActorKind.AI, False)
    assert row.shift is not None


def test_the_tenant_cannot_be_said() -> None:
    with pytest.raises(RequestValidationError):
        parse(PrincipalBody, json.dumps(PERSON | {"tenant": "other"}).encode())


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
def test_a_batch_is_neither_empty_nor_endless(count: int) -> None:
    with pytest.raises(RequestValidationError):
        parse(PrincipalsBody, json.dumps({"principals": [PERSON] * count}).encode())
