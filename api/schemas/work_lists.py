"""Work lists, as their proposers state them and their approvers see them."""

from typing import Annotated

from pydantic import Field

from api.schemas.words import Answer, Body, Ident, Instant, When
from guard.purposes.list_members import Upload
from guard.purposes.work_lists import MAX_PACE, MAX_SIZE, StatedList, WorkListPut

# The most fields that a list may name; a catalogue has fewer.
MAX_FIELDS = 128


class WorkListBody(Body):
    """A list for one team's campaign."""

    team: Ident
    campaign: Ident
    starts_at: Instant
    ends_at: Instant
    customers: Annotated[list[Ident], Field(min_length=1, max_length=MAX_SIZE)] | None = Field(
        default=None, description="References; absent: they are uploaded afterwards."
    )
    fields: Annotated[list[Ident], Field(min_length=1, max_length=MAX_FIELDS)] | None = Field(
        default=None, description="All that the campaign may show; absent: what the policy shows."
    )
    pace: Annotated[int, Field(ge=1, le=MAX_PACE, strict=True)] | None = Field(
        default=None, description="Most customers of the list per agent and hour."
    )

    def put(self, list_id: str) -> WorkListPut:
        """The same, for the service."""
        return WorkListPut(
            id=list_id,
            team=self.team,
            campaign=self.campaign,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            customers=None if self.customers is None else tuple(self.customers),
            fields=None if self.fields is None else tuple(dict.fromkeys(self.fields)),
            pace=self.pace,
        )


class ApprovalBody(Body):
    """Which list is approved."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="The digest of the list that was read; a list with another is not approved."
    )


class WorkListOut(Answer):
    """A stored list; it counts once `approved_by`, the second approval, is set.

    Without it, it gets no approval any more from `lapses_at` on.
    """

    id: str
    team: str
    campaign: str
    purpose: str
    starts_at: When
    ends_at: When
    proposed_by: str
    first_approved_by: str | None
    approved_by: str | None
    size: int
    lapses_at: When
    fields: list[str] | None
    pace: int | None


class StatedListOut(WorkListOut):
    """A list with the digest of its customers."""

    digest: str

    @classmethod
    def of(cls, stated: StatedList) -> "StatedListOut":
        """Describe a list and which one it is."""
        known = {name: getattr(stated.row, name) for name in WorkListOut.model_fields}
        return cls(**known, digest=stated.digest)


class FaultOut(Answer):
    """A row that was left out: its line, counted from 1, and the rule; never its content."""

    line: int
    rule: str = Field(validation_alias="fault")


class UploadOut(Answer):
    """What became of an uploaded list."""

    work_list: StatedListOut
    rows: int = Field(description="Rows that were read, the header not counted.")
    duplicates: int = Field(description="Rows whose customer was on the list already.")
    rejected: int = Field(description="Rows that were left out.")
    faults: list[FaultOut] = Field(description="The first hundred of them.")

    @classmethod
    def of(cls, upload: Upload, stated: StatedList) -> "UploadOut":
        """Describe an upload that has come to its end."""
        return cls(
            work_list=StatedListOut.of(stated),
            rows=upload.rows,
            duplicates=upload.duplicates,
            rejected=upload.rejected,
            faults=[FaultOut.model_validate(fault) for fault in upload.faults],
        )
