"""Asking for a record, and what comes back."""

from typing import Annotated

from pydantic import Field

from api.schemas.words import Answer, Body, Ident, Prose, When, Word
from guard.quotas import BudgetStatus
from guard.views import NextStep

MAX_FIELDS = 64


class ViewBody(Body):
    """A view: of whom, for what, because of which case, and which fields."""

    customer: Ident = Field(description="The customer's opaque reference.")
    purpose: Word = Field(description="What the view is for, such as `support_case`.")
    case: Ident | None = Field(default=None, description="The case that explains the view.")
    fields: Annotated[list[Ident], Field(max_length=MAX_FIELDS)] | None = Field(
        default=None, description="Field paths; absent: all that the purpose allows."
    )
    reason: Prose | None = Field(default=None, description="Why, in the agent's own words.")
    device: Ident | None = Field(default=None, description="The device it is shown on.")


class FieldNoteOut(Answer):
    """Why a field looks as it does, and what to do to see or use more of it."""

    path: str
    cls: str = Field(alias="class")
    form: str
    why: str
    next: list[NextStep]
    verify: list[str] = Field(description="The parts that can be checked instead of shown.")
    contact: str | None = Field(description="The channel of which it is the address.")
    synthetic: bool = Field(description="What it shows is made up: not the customer's.")


class BudgetOut(Answer):
    """One of the caller's own budgets."""

    name: str
    measure: str
    window: str
    limit: int
    used: int
    left: int
    resets_at: When

    @classmethod
    def of(cls, status: BudgetStatus) -> "BudgetOut":
        """Describe a budget's state."""
        return cls.model_validate(status)


class ReceiptOut(Answer):
    """The promise that the entry is in the log; keep it."""

    entry_id: str
    index: int | None = Field(
        description="Its place in the log; null with PostgreSQL, which gives it a moment later:"
        " ask by `entry_id`."
    )
    writer: str
    writer_seq: int
    leaf_hash: str
    signature: str


class ViewOut(Answer):
    """A masked record, and what it cost."""

    record: dict[str, object]
    fields: list[FieldNoteOut]
    mode: str
    would: str
    quota: list[BudgetOut]
    receipt: ReceiptOut
    view_code: str


class QuotaOut(Answer):
    """What the caller's own budgets still allow."""

    quota: list[BudgetOut]
