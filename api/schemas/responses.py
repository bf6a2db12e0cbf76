"""Suspensions, notices and objections."""

from api.schemas.words import Answer, Body, Ident, Instant, Prose, When
from guard.rows import ResponseRow


class SuspendBody(Body):
    """Whom to suspend: by id, or as an alert calls them."""

    agent: Ident | None = None
    alert: Ident | None = None
    pseudonym: Ident | None = None
    reason: Prose
    ends_at: Instant


class ReasonBody(Body):
    """Why."""

    reason: Prose


class ContestBody(Body):
    """What the caller has to say to a notice."""

    text: Prose


class ResponseOut(Answer):
    """A response to behaviour, as a reviewer sees it; `ended_at` is set when it was lifted."""

    id: str
    kind: str
    alert_id: str | None
    by: str
    reason: str
    starts_at: When
    ends_at: When
    ended_at: When | None
    contested: str | None


class NoticeOut(Answer):
    """A response, as the one concerned sees it: what, why, until when. Not by whom."""

    id: str
    kind: str
    reason: str
    starts_at: When
    ends_at: When
    ended_at: When | None
    contested: str | None

    @classmethod
    def of(cls, row: ResponseRow) -> "NoticeOut":
        """Describe a response to the one concerned."""
        return cls.model_validate(row)


class ResponsesOut(Answer):
    """Responses in force, newest first."""

    responses: list[ResponseOut]


class NoticesOut(Answer):
    """One's own notices, newest first."""

    notices: list[NoticeOut]
