"""Histories: a customer's, signed; one's own; and what is held back from both for a time."""

from pydantic import Field

from api.schemas.responses import NoticeOut
from api.schemas.words import Answer, Body, Ident, Instant, Prose, When
from guard.history import HistoryPage, OwnHistory
from guard.rows import ActivityRow


class HistoryRowOut(Answer):
    """One act about the customer, in words that they can be shown."""

    entry: str = Field(description="The entry's id in the log: what a dispute or a proof names.")
    at: str
    act: str
    purpose: str
    channel: str
    role: str
    clear: bool | None = Field(description="Whether a field was shown as it is; null: unknown.")


class HistoryOut(Answer):
    """A page of a customer's history, newest first, and the same as a signed document."""

    customer: str
    as_of: str
    statement: str
    notice: str
    rows: list[HistoryRowOut]
    document: str = Field(description="The signed document to keep: `guard verify-history`.")
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")

    @classmethod
    def of(cls, page: HistoryPage, following: str | None) -> "HistoryOut":
        """The answer of a page."""
        document = page.document
        return cls(
            customer=document.customer,
            as_of=document.as_of,
            statement=document.statement,
            notice=document.notice,
            rows=[HistoryRowOut.model_validate(row) for row in document.rows],
            document=page.note.decode(),
            next=following,
        )


class ActivityOut(Answer):
    """How many of the caller's own acts of one day are alike; `act` is the kind of entry."""

    day: When
    act: str
    purpose: str
    link: str
    outcome: str
    count: int

    @classmethod
    def of(cls, row: ActivityRow) -> "ActivityOut":
        """The answer of a row."""
        return cls(
            day=row.day,
            act=row.kind.name.lower(),
            purpose=row.purpose,
            link=row.link,
            outcome=row.outcome,
            count=row.count,
        )


class LookUpOut(Answer):
    """Somebody read the log about the caller: when, and what that somebody is."""

    at: When
    role: str


class OwnHistoryAnswer(Answer):
    """What is logged about the caller."""

    since: When
    until: When
    as_of: When
    activity: list[ActivityOut]
    look_ups: list[LookUpOut]
    responses: list[NoticeOut]
    retention: str

    @classmethod
    def of(cls, mine: OwnHistory) -> "OwnHistoryAnswer":
        """The answer of a history."""
        return cls(
            since=mine.since,
            until=mine.until,
            as_of=mine.as_of,
            activity=[ActivityOut.of(row) for row in mine.activity],
            look_ups=[LookUpOut.model_validate(one) for one in mine.look_ups],
            responses=[NoticeOut.of(row) for row in mine.responses],
            retention=mine.retention,
        )


class OwnHistoryOut(OwnHistoryAnswer):
    """What is logged about the caller, and the same as a signed document."""

    document: str = Field(description="The signed document to keep: `guard verify-history`.")


class HoldBackBody(Body):
    """What to hold back: entries in [since, until) by `agent`, about `customer`, or both."""

    agent: Ident | None = None
    customer: Ident | None = None
    since: Instant
    until: Instant
    reason: Prose
    ends_at: Instant


class HoldBackOut(Answer):
    """What histories leave out; it holds once `approved_by` is set."""

    id: str
    agent: str = Field(validation_alias="agent_id")
    customer: str = Field(validation_alias="ref")
    since: When
    until: When
    reason: str
    proposed_by: str
    proposed_at: When
    approved_by: str | None
    approved_at: When | None
    ends_at: When
    ended_at: When | None


class HoldBacksOut(Answer):
    """Those that are not over, oldest first."""

    hold_backs: list[HoldBackOut]


class DisputeBody(Body):
    """Which row of the history the customer disputes, and what they say to it."""

    entry: Ident
    text: Prose | None = Field(default=None, max_length=500)


class DisputeOut(Answer):
    """A dispute that is kept; it names nobody."""

    id: str
    of: str
    at: When
