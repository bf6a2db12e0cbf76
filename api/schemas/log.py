"""Reading the log, proofs and exports."""

from typing import Literal

from pydantic import Field

from api.schemas.alerts import EntryOut
from api.schemas.words import Answer, Body, Ident, Instant, Word
from guard.entries import EntryKind
from guard.rows import LogQuery

MAX_PAGE = 200


class LogPageOut(Answer):
    """A page of the log, newest first."""

    entries: list[EntryOut]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class ExportBody(Body):
    """What to export. `kinds` names entry kinds, such as `view`; absent: all."""

    format: Literal["ndjson", "csv"] = "ndjson"
    customer: Ident | None = None
    agent: Ident | None = None
    team: Word | None = None
    vendor: Word | None = None
    purpose: Word | None = None
    kinds: list[
        Literal[
            "view",
            "reveal",
            "listed",
            "search",
            "verification",
            "contact",
            "refusal",
            "failed",
            "refund",
            "closed",
            "export",
        ]
    ] = Field(default=[], max_length=11)
    since: Instant | None = None
    until: Instant | None = None

    def query(self, tenant: str) -> LogQuery:
        """The same, for the service."""
        return LogQuery(
            tenant=tenant,
            ref=self.customer,
            agent_id=self.agent,
            team=self.team,
            vendor=self.vendor,
            purpose=self.purpose,
            kinds=tuple(EntryKind[kind.upper()] for kind in self.kinds),
            since=self.since,
            until=self.until,
        )


class TicketOut(Answer):
    """A one-time ticket for the console, good for a few minutes."""

    ticket: str
    expires_in_s: int
