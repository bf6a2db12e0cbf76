"""Calling or writing to a customer without seeing the address."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.acts import ActOut
from api.schemas.views import ReceiptOut
from api.schemas.words import Answer, Body, Ident, ProblemDocument, Word
from guard.broker.contact import MAX_CC, MAX_SUBJECT, MAX_TEXT
from guard.views import DeliveryState, NextStep

Subject = Annotated[
    str,
    StringConstraints(
        max_length=MAX_SUBJECT, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f]*$"
    ),
]
Text = Annotated[
    str,
    StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"),
]


class ContactBody(Body):
    """Whom, by which channel, for what, and the words."""

    customer: Ident = Field(description="The customer's opaque reference.")
    channel: Literal["call", "mail", "message"]
    purpose: Word = Field(description="What it is for, such as `support_case`.")
    case: Ident | None = Field(default=None, description="The case that explains it.")
    subject: Subject = Field(default="", description="One line; of a mail only.")
    text: Text = Field(default="", description="Plain text; none for a call.")
    cc: Annotated[list[Ident], Field(max_length=MAX_CC)] = Field(
        default=[], description="Further customers, by reference; each gets a mail of its own."
    )
    device: Ident | None = Field(default=None, description="The device it is asked from.")


class DeliveryOut(ActOut):
    """How it ended for one customer."""

    customer: str
    state: DeliveryState
    channel_id: str
    delivery: ReceiptOut | None
    next: list[NextStep]


class CopyOut(Answer):
    """How it ended for one customer in `cc`: as the first one's, or the problem that it met."""

    customer: str
    state: DeliveryState | None = None
    channel_id: str | None = None
    receipt: ReceiptOut | None = None
    delivery: ReceiptOut | None = None
    next: list[NextStep] | None = None
    problem: ProblemDocument | None = None


class ContactOut(DeliveryOut):
    """How it ended for everybody."""

    cc: list[CopyOut]
