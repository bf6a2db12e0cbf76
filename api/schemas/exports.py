"""Files of the log: what to export, and how far it is."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.words import Answer, Body, Ident, Instant, Word
from guard.clock import to_rfc3339
from guard.entries import EntryKind
from guard.exports import CellGuard, ExportFormat
from guard.exports.order import MAX_RECIPIENT, MAX_WHY, ExportOrder, decode_order
from guard.rows import ExportJobRow, LogQuery


class ExportBody(Body):
    """What to export. `kinds` names entry kinds, such as `view`; absent: all."""

    format: ExportFormat = ExportFormat.NDJSON
    cells: Annotated[
        CellGuard, Field(description="Of CSV: whether a spreadsheet is kept from running cells.")
    ] = CellGuard.FORMULAS
    customers: Annotated[
        bool, Field(description="False: nobody is named, by reference or otherwise.")
    ] = True
    why: Annotated[
        str,
        StringConstraints(max_length=MAX_WHY, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"),
        Field(description="What the file is for; required where there is a recipient."),
    ] = ""
    recipient: Annotated[
        str,
        StringConstraints(max_length=MAX_RECIPIENT, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"),
        Field(description="Who gets it outside of the company, such as an auditing firm."),
    ] = ""
    customer: Ident | None = None
    agent: Ident | None = None
    team: Word | None = None
    vendor: Word | None = None
    purpose: Word | None = None
    link: Word | None = None
    field: Annotated[Word | None, Field(description="Something of this field class was shown.")] = (
        None
    )
    clear: Annotated[bool, Field(description="It was shown in plain.")] = False
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

    def order(self, tenant: str) -> ExportOrder:
        """The same, for the service."""
        return ExportOrder(
            format=self.format,
            query=self._query(tenant),
            cells=self.cells,
            customers=self.customers,
            why=self.why,
            recipient=self.recipient,
        )

    def _query(self, tenant: str) -> LogQuery:
        return LogQuery(
            tenant=tenant,
            ref=self.customer,
            agent_id=self.agent,
            team=self.team,
            vendor=self.vendor,
            purpose=self.purpose,
            link=self.link,
            field=self.field or None,
            is_clear=self.clear,
            kinds=tuple(EntryKind[kind.upper()] for kind in self.kinds),
            since=self.since,
            until=self.until,
        )


class ExportJobOut(Answer):
    """How much of a file has left."""

    id: str
    format: ExportFormat
    created_at: str
    size: int = Field(description="Of the tree that it is taken from.")
    before: int = Field(description="The index down to which entries have left.")
    chunks: int
    entries: int
    octets: int
    is_complete: bool
    sha256: str | None = Field(description="Of the whole file, which its manifest is asked by.")

    @classmethod
    def of(cls, job: ExportJobRow) -> "ExportJobOut":
        """The same, for the wire."""
        return cls(
            id=job.id,
            format=decode_order(job.order).format,
            created_at=to_rfc3339(job.created_at),
            size=job.size,
            before=job.before,
            chunks=job.chunks,
            entries=job.entries,
            octets=job.octets,
            is_complete=bool(job.sha256),
            sha256=job.sha256 or None,
        )
