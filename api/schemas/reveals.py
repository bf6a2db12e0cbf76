"""Opening single fields of a view."""

from typing import Annotated

from pydantic import Field

from api.schemas.views import FieldNoteOut, ViewOut
from api.schemas.words import Body, Ident, Prose, When
from guard.broker.reveal import MAX_FIELDS


class RevealBody(Body):
    """Which fields, and why."""

    fields: Annotated[list[Ident], Field(min_length=1, max_length=MAX_FIELDS)] = Field(
        description="Paths of single fields, such as `cards[].number`."
    )
    reason: Prose = Field(description="Why, in the agent's own words; kept with the entry.")
    device: Ident | None = Field(default=None, description="The device it is shown on.")


class RevealOut(ViewOut):
    """The values of those fields alone, and when they must leave the screen."""

    refused: list[FieldNoteOut]
    expires_at: When
    expires_in_s: int
