"""Reading the log and proofs."""

from pydantic import Field

from api.schemas.alerts import EntryOut
from api.schemas.words import Answer

MAX_PAGE = 200


class LogPageOut(Answer):
    """A page of the log, newest first."""

    entries: list[EntryOut]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class TicketOut(Answer):
    """A one-time ticket for the console, good for a few minutes."""

    ticket: str
    expires_in_s: int
