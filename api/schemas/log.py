"""Reading the log and proofs."""

from typing import Annotated

from pydantic import AfterValidator, Field

from api.schemas.alerts import EntryOut
from api.schemas.words import Answer, Word
from guard.entries import EntryKind
from guard.errors import InvalidRequestError
from guard.rows import LogCount

MAX_PAGE = 200
# Largest index that fits the leaf's 64 bits.
MAX_INDEX = 2**63 - 1
ID_DIGITS = 32
ENTRY = r"^([0-9]{1,19}|[0-9a-f]{32})$"


_KINDS = [kind.name.lower() for kind in EntryKind]


def _kind(value: str) -> str:
    if value not in _KINDS:
        raise ValueError("not a kind of entry")
    return value


KindWord = Annotated[Word, AfterValidator(_kind), Field(json_schema_extra={"enum": [*_KINDS]})]


class CountOut(Answer):
    """How much more there is, counted up to a bound."""

    count: int
    is_exact: bool = Field(description="False: there are more than these, or may be.")

    @classmethod
    def of(cls, found: LogCount) -> "CountOut":
        """Describe a count."""
        return cls(count=found.count, is_exact=found.is_exact)


class LogPageOut(Answer):
    """A page of the log, newest first."""

    entries: list[EntryOut]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")
    is_partial: bool = Field(
        description="The page ended at the bound on its work: nothing else was found so far down."
    )
    elsewhere: CountOut | None = Field(
        description="Answers that stay in other regions; null: none are kept from you here."
    )


class TicketOut(Answer):
    """A one-time ticket for the console, good for a few minutes."""

    ticket: str
    expires_in_s: int


def place_of(entry: str) -> int | bytes:
    """The index or the id that a text of the form `ENTRY` names.

    Raises:
        InvalidRequestError: No log can be that long.
    """
    if len(entry) == ID_DIGITS:
        return bytes.fromhex(entry)
    if int(entry) > MAX_INDEX:
        raise InvalidRequestError("no log is that long: name an entry by its index or its id")
    return int(entry)
