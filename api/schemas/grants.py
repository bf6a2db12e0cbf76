"""Break-glass grants, and codes that a present customer says."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.words import Answer, Body, Ident, Prose, When
from guard.break_glass import MAX_MINUTES, MIN_TEXT, Glass, GlassPut, ReasonCode
from guard.purposes.presence import DIGITS
from guard.rows import GrantRow


class GlassBody(Body):
    """Whom somebody opens without a case, why, and for how long."""

    customer: Ident
    reason_code: ReasonCode
    text: Annotated[Prose, Field(min_length=MIN_TEXT)] = Field(
        description="What happens; sealed, and read by whoever reviews it."
    )
    minutes: Annotated[int, Field(ge=1, le=MAX_MINUTES, strict=True)]
    case: Ident | None = None

    def put(self) -> GlassPut:
        """The same, for the service."""
        return GlassPut(
            customer=self.customer,
            reason_code=self.reason_code,
            text=self.text,
            minutes=self.minutes,
            case=self.case,
        )


class GlassReviewBody(Body):
    """What a review found."""

    outcome: Literal["justified", "unjustified"]
    note: Prose


class GrantOut(Answer):
    """A grant, as whoever holds or changes it sees it."""

    id: str
    kind: str
    customer: str = Field(validation_alias="ref")
    starts_at: When
    ends_at: When


class GlassOut(Answer):
    """A break-glass grant, as those see it who watch over it."""

    id: str
    agent: str = Field(description="A pseudonym, unless it is the caller.")
    customer: str
    reason_code: str
    starts_at: When
    ends_at: When
    reviewed_at: When | None
    outcome: str | None
    overdue: bool
    text: str | None = Field(description="What was typed; null in lists, and once erased.")

    @classmethod
    def of(cls, glass: Glass) -> "GlassOut":
        """Describe a grant and how its review stands."""
        row: GrantRow = glass.row
        return cls(
            id=row.id,
            agent=glass.agent,
            customer=row.ref,
            reason_code=row.reason_code,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            reviewed_at=row.reviewed_at,
            outcome=row.outcome,
            overdue=glass.is_overdue,
            text=glass.text,
        )


class GlassPageOut(Answer):
    """Break-glass grants in one state."""

    grants: list[GlassOut]


class CodeBody(Body):
    """Whose code it is."""

    customer: Ident


class CodeOut(Answer):
    """A one-time code, for the customer's own screen only."""

    code: str
    expires_in_s: int


class PresenceBody(Body):
    """The code that the customer said."""

    customer: Ident
    code: Annotated[str, StringConstraints(pattern=rf"^[0-9]{{{DIGITS}}}$")]
    case: Ident | None = None
