"""The words that all requests and answers are made of.

Every text is bounded and holds no control characters: a NUL ends strings in some systems behind us,
and a line break forges lines in others. A lone surrogate is no text and is refused by pydantic.
"""

from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from guard.clock import Micros, from_rfc3339, to_rfc3339

# Reasons and notes are read by people: a page is enough. The services behind have the same bounds.
MAX_PROSE = 2_000
# 9999-12-31, the last day that an RFC 3339 time can name.
MAX_TIME: Micros = 253_402_300_799_000_000

Ident = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
SourceKey = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
Prose = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=MAX_PROSE, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
    ),
]


def _instant(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("not a time")  # noqa: TRY004 - pydantic turns ValueError into a 422
    at = from_rfc3339(value)
    if not 0 <= at <= MAX_TIME:
        raise ValueError("not a time since 1970")
    return at


Instant = Annotated[
    Micros,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]
When = Annotated[
    Micros,
    PlainSerializer(to_rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class Body(BaseModel):
    """Base of what comes in: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Answer(BaseModel):
    """Base of what goes out."""

    model_config = ConfigDict(frozen=True, from_attributes=True, populate_by_name=True)


class ProblemPlace(Answer):
    """Where a request breaks the schema: a JSON pointer into the body, or a parameter's name."""

    pointer: str | None = None
    parameter: str | None = None
    rule: str


class ProblemDocument(Answer):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    instance: str
    detail: str | None = None
    errors: list[ProblemPlace] | None = None
