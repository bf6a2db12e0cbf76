"""People, AI agents and services, as the staff system reports them."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from api.schemas.words import Answer, Body, Ident, Word
from guard.principals import LogScope, Shift
from guard.rows import PrincipalRow
from policies.model import ActorKind, Desk, Role

MAX_BATCH = 200
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _time(value: str) -> str:
    if _TIME.fullmatch(value) is None:
        raise ValueError("not a time of day")
    return value


TimeOfDay = Annotated[str, AfterValidator(_time), Field(max_length=5, examples=["09:00"])]


class ShiftBody(Body):
    """A working day in local time; an end before the start is a night shift."""

    tz: Word
    start: TimeOfDay
    end: TimeOfDay
    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]

    def row(self) -> Shift:
        """The same, as the guard keeps it."""
        return Shift(
            tz=self.tz,
            start=_minutes(self.start),
            end=_minutes(self.end),
            days=frozenset(self.days),
        )


class PrincipalBody(Body):
    """Somebody; `line` lists manager ids from the direct one upwards."""

    id: Ident
    region: Word = ""
    vendor: Word = ""
    site: Word = ""
    team: Word = ""
    line: Annotated[tuple[Ident, ...], Field(max_length=16)] = ()
    role: Role
    kind: ActorKind = ActorKind.HUMAN
    desk: Desk = Desk.FRONT_LINE
    shift: ShiftBody | None = None
    active: bool = True
    log_scope: LogScope = LogScope.TENANT

    def row(self, tenant: str) -> PrincipalRow:
        """The same, as the guard keeps it."""
        return PrincipalRow(
            id=self.id,
            tenant=tenant,
            region=self.region,
            vendor=self.vendor,
            site=self.site,
            team=self.team,
            line=self.line,
            role=self.role,
            kind=self.kind,
            shift=None if self.shift is None else self.shift.row(),
            is_active=self.active,
            desk=self.desk,
            log_scope=self.log_scope,
        )


class PrincipalsBody(Body):
    """People to insert or replace."""

    principals: Annotated[list[PrincipalBody], Field(min_length=1, max_length=MAX_BATCH)]


class PrincipalsOut(Answer):
    """How many really changed."""

    changed: int


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])
