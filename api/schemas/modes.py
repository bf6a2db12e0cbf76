"""Modes and what enforcing would have done."""

from api.schemas.words import Answer, Body, When, Word
from policies.model import Mode


class ModeBody(Body):
    """A mode for a scope; an empty word means any."""

    vendor: Word = ""
    team: Word = ""
    purpose: Word = ""
    mode: Mode


class ModeOut(Answer):
    """A rule, in force once `approved_by` is set."""

    id: str
    vendor: str
    team: str
    purpose: str
    mode: str
    proposed_by: str
    proposed_at: When
    approved_by: str | None


class ModesOut(Answer):
    """All rules and proposals, oldest first."""

    modes: list[ModeOut]


class EnforcementOut(Answer):
    """Views of one team in one mode, by what enforcing did or would have done."""

    team: str
    mode: str
    would: str
    views: int


class EnforcementReportOut(Answer):
    """The report, by team."""

    rows: list[EnforcementOut]
