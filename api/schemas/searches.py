"""Finding one customer by an exact identifier."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.acts import ActOut
from api.schemas.words import Body, Ident, Prose, Word

Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]


class SearchBody(Body):
    """What the customer said, whole: no prefix, no wildcard."""

    kind: Word = Field(
        description="As what to look it up: `email`, `phone`, `account` or `name_birth_date`."
    )
    value: Identifier = Field(description="The exact value, in any usual way of writing it.")
    purpose: Word = Field(description="What the search is for, such as `support_case`.")
    reason: Prose | None = Field(default=None, description="Why, in the agent's own words.")
    device: Ident | None = Field(default=None, description="The device it is asked from.")


class SearchOut(ActOut):
    """At most one reference. `narrow`: several customers fit, ask for another identifier."""

    customer: str | None
    narrow: bool
