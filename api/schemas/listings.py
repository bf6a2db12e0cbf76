"""A queue of customers, and an outcome for each."""

from typing import Annotated

from pydantic import Field

from api.schemas.views import MAX_FIELDS, BudgetOut, FieldNoteOut, ReceiptOut
from api.schemas.words import Answer, Body, Ident, ProblemDocument, Word
from guard.broker.listing import MAX_LISTED


class ListBody(Body):
    """Which customers, for what, and which fields."""

    customers: Annotated[list[Ident], Field(min_length=1, max_length=MAX_LISTED)] = Field(
        description="References that the caller holds."
    )
    purpose: Word = Field(description="What the queue is for, such as `support_case`.")
    fields: Annotated[list[Ident], Field(max_length=MAX_FIELDS)] | None = Field(
        default=None, description="Field paths; absent: all that the purpose allows."
    )
    device: Ident | None = Field(default=None, description="The device it is shown on.")


class ListedOut(Answer):
    """One customer of a queue: the masked record, or the problem that it met."""

    customer: str
    record: dict[str, object] | None = None
    fields: list[FieldNoteOut] | None = None
    would: str | None = None
    receipt: ReceiptOut | None = None
    view_code: str | None = None
    problem: ProblemDocument | None = None


class ListOut(Answer):
    """The queue in the order in which it was asked for."""

    customers: list[ListedOut]
    quota: list[BudgetOut]
