"""Checking what a caller says against the record."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.acts import ActOut
from api.schemas.words import Body, Ident, Word

Claim = Annotated[
    str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]


class VerifyBody(Body):
    """One field, one part of it, and what was said."""

    customer: Ident = Field(description="The customer's opaque reference.")
    field: Ident = Field(description="The field's path, such as `cards[].number`.")
    part: Word = Field(description="Which part: `full`, `last4`, `postcode_end` or `year`.")
    claim: Claim = Field(description="What the caller said.")
    purpose: Word = Field(description="What it is for, such as `support_case`.")
    case: Ident | None = Field(default=None, description="The case that explains it.")
    device: Ident | None = Field(default=None, description="The device it is asked from.")


class VerifyOut(ActOut):
    """Yes or no."""

    matches: bool
