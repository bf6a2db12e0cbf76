"""Quality samples."""

from typing import Annotated

from pydantic import Field

from api.schemas.words import Answer, Body, Ident, Instant, When
from guard.purposes.samples import MAX_REVIEWERS, MAX_SIZE, Sample, SamplePut


class SampleBody(Body):
    """How many closed cases of a team to draw, for whom to review."""

    team: Ident
    since: Instant
    until: Instant
    size: Annotated[int, Field(ge=1, le=MAX_SIZE)]
    reviewers: Annotated[list[Ident], Field(min_length=1, max_length=MAX_REVIEWERS)]

    def put(self) -> SamplePut:
        """The same, for the service."""
        return SamplePut(
            team=self.team,
            since=self.since,
            until=self.until,
            size=self.size,
            reviewers=tuple(self.reviewers),
        )


class DrawnOut(Answer):
    """A case and who reviews it."""

    case: str
    reviewer: str


class SampleOut(Answer):
    """What was drawn, and what it takes to draw it again."""

    seed: str
    drawn_from: int
    ends_at: When
    drawn: list[DrawnOut]

    @classmethod
    def of(cls, sample: Sample) -> "SampleOut":
        """Describe a sample."""
        return cls(
            seed=sample.seed,
            drawn_from=sample.drawn_from,
            ends_at=sample.ends_at,
            drawn=[DrawnOut(case=case, reviewer=who) for case, who in sample.drawn],
        )
