"""Evidence: what is asked for, and what it is for."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.words import Body, Ident, Instant
from guard.evidence.selecting import MAX_PURPOSE, Question

# Largest index that fits the leaf's 64 bits.
MAX_INDEX = 2**63 - 1
Place = Annotated[int, Field(ge=0, le=MAX_INDEX)]


class EvidenceBody(Body):
    """One customer; or one agent, a time, or both; or a range of entries; or, with none, all."""

    why: Annotated[
        str,
        StringConstraints(
            min_length=1, max_length=MAX_PURPOSE, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"
        ),
        Field(description="What it is for; it stands in the manifest."),
    ]
    customer: Annotated[
        Ident | None, Field(description="All about one customer, and the proof that it is all.")
    ] = None
    agent: Ident | None = None
    since: Instant | None = None
    until: Instant | None = None
    start: Annotated[Place | None, Field(description="From this entry on.")] = None
    end: Annotated[Place | None, Field(description="Up to this entry, without it.")] = None

    def question(self) -> Question:
        """The same, for the service."""
        return Question(
            purpose=self.why,
            customer=self.customer,
            agent=self.agent,
            since=self.since,
            until=self.until,
            start=self.start,
            end=self.end,
        )
