"""Cases and customers, as the systems around the broker report them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.words import Answer, Body, Ident, Instant, SourceKey, When, Word
from guard.enrolment import MAX_IDENTIFIERS, CustomerPut
from guard.purposes.reports import AssignmentPut, CasePut
from guard.vault.identifiers import MAX_VALUE, IdentifierKind
from policies.model import Tier

MAX_BATCH = 200
MAX_ASSIGNMENTS = 64

IdentifierValue = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_VALUE, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"),
]


class AssignmentBody(Body):
    """Somebody works on the case."""

    agent: Ident
    how: Literal["inbound", "transfer", "escalation", "consult", "qa", "queue", "self"]
    from_at: Instant = Field(alias="from")
    to_at: Instant | None = Field(default=None, alias="to")


class CaseBody(Body):
    """A case; its customer by reference, or by source and source key."""

    customer: Ident | None = None
    source: Ident | None = None
    source_key: SourceKey | None = None
    region: Word = ""
    channel: Word
    opened_at: Instant
    opened_by: Ident | None = None
    closed_at: Instant | None = None
    assignments: Annotated[tuple[AssignmentBody, ...], Field(max_length=MAX_ASSIGNMENTS)] = ()
    as_of: Instant | None = Field(
        default=None,
        description="When all this was so; absent: now. What is older than a report that was taken "
        "in before changes nothing.",
    )

    def put(self, case_id: str) -> CasePut:
        """The same, for the service."""
        return CasePut(
            id=case_id,
            customer=self.customer,
            source=self.source,
            source_key=self.source_key,
            region=self.region,
            channel=self.channel,
            opened_at=self.opened_at,
            opened_by=self.opened_by,
            closed_at=self.closed_at,
            assignments=tuple(
                AssignmentPut(agent=a.agent, how=a.how, from_at=a.from_at, to_at=a.to_at)
                for a in self.assignments
            ),
            as_of=self.as_of,
        )


class BatchedCaseBody(CaseBody):
    """A case that brings its id."""

    id: Ident


class CaseBatchBody(Body):
    """Cases to put, each on its own."""

    cases: Annotated[list[BatchedCaseBody], Field(min_length=1, max_length=MAX_BATCH)]


class CaseOut(Answer):
    """A stored case."""

    id: str
    customer: str = Field(validation_alias="ref")
    channel: str
    opened_at: When
    opened_by: str | None
    closed_at: When | None


class BatchItemOut(Answer):
    """What became of one case of a batch: the case, or its problem."""

    case: CaseOut | None = None
    problem: dict[str, object] | None = None


class CaseBatchOut(Answer):
    """What became of each case, in the order they came."""

    items: list[BatchItemOut]


class IdentifierBody(Body):
    """What a customer can be found by; it is hashed under a key and not kept."""

    kind: IdentifierKind
    value: IdentifierValue

    def pair(self) -> tuple[str, str]:
        """The same, for the service."""
        return self.kind.value, self.value


class CustomerBody(Body):
    """A customer of a source."""

    source: Ident
    source_key: SourceKey
    region: Word
    tier: Tier = Tier.STANDARD
    decoy: bool = Field(
        default=False, description="A made-up customer: looking at it is hard evidence."
    )
    identifiers: Annotated[tuple[IdentifierBody, ...], Field(max_length=MAX_IDENTIFIERS)] | None = (
        Field(default=None, description="Replace all that were given before; absent: those stay.")
    )

    def put(self) -> CustomerPut:
        """The same, for the service."""
        return CustomerPut(
            source=self.source,
            source_key=self.source_key,
            region=self.region,
            tier=self.tier,
            is_decoy=self.decoy,
            identifiers=(
                None if self.identifiers is None else tuple(i.pair() for i in self.identifiers)
            ),
        )


class EnrolBody(Body):
    """Customers to enrol."""

    customers: Annotated[list[CustomerBody], Field(min_length=1, max_length=MAX_BATCH)]


class EnrolOut(Answer):
    """Their references, in the order they came."""

    customers: list[str]
