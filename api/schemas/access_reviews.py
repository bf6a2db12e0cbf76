"""Reviews of who could see what."""

from api.schemas.words import Answer, Body, Ident, Instant, Prose, When


class AccessReviewBody(Body):
    """What was reviewed: a field's path, a class or `all`; on which day; what the reviewer says."""

    field: Ident
    on: Instant
    statement: Prose


class AccessReviewOut(Answer):
    """A review. `digest` is the SHA-256 of who could see what; `in_plain` counts people."""

    id: str
    field: str
    classes: list[str]
    on: When
    policy: str
    people: int
    in_plain: int
    digest: str
    statement: str
    signed_by: str
    signed_at: When
    countersigned_by: str | None


class ClassStatusOut(Answer):
    """A class of fields: never reviewed, reviewed for the state of a day, or overdue again."""

    field_class: str
    reviewed_on: When | None
    due_at: When | None
    is_overdue: bool


class AccessReviewsOut(Answer):
    """Every class of the policy in force, and all reviews, newest first."""

    classes: list[ClassStatusOut]
    reviews: list[AccessReviewOut]
