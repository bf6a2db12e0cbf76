"""Merges of two customers' records."""

from pydantic import Field

from api.schemas.views import ReceiptOut
from api.schemas.words import Answer, Body, Ident, Prose


class MergeBody(Body):
    """Two references of one person, the case that shows it, and why."""

    keep: Ident = Field(description="The reference whose record stays.")
    merge: Ident = Field(description="The reference whose record becomes part of it.")
    case: Ident = Field(description="A case of yours for one of the two.")
    reason: Prose = Field(description="How it is known that both are one person.")


class MergeOut(Answer):
    """A merge that the source system has taken; both references stay."""

    keep: str
    merge: str
    merge_id: str
    receipt: ReceiptOut
