"""Erasures of customers."""

from pydantic import AliasPath, Field

from api.schemas.views import ReceiptOut
from api.schemas.words import Answer, Body, Ident, Prose, When
from guard.forgetting import ErasureGround
from guard.forgetting.erasures import Erasing


class ErasureBody(Body):
    """Whom to forget, on which legal ground, and why; the reason is forgotten with the customer."""

    customer: Ident
    ground: ErasureGround
    reason: Prose


class ErasureOut(Answer):
    """Where an erasure stands: proposed, held, recorded (the customer is nobody), done.

    `entry_id` names the entry that proves it, once there is one.
    """

    id: str
    customer: str = Field(validation_alias=AliasPath("ref"))
    ground: str
    state: str
    proposed_by: str
    proposed_at: When
    approved_by: str | None
    approved_at: When | None
    entry_id: str | None
    done_at: When | None


class HeldByOut(Answer):
    """A legal hold that keeps the customer for now, and its ground."""

    id: str
    ground: str
    matter: str


class ErasingOut(Answer):
    """An erasure after a step, with the receipt of its entry; `held_by` says what keeps it."""

    erasure: ErasureOut
    held_by: list[HeldByOut]
    receipt: ReceiptOut

    @classmethod
    def of(cls, erasing: Erasing) -> "ErasingOut":
        """Describe a step."""
        return cls(
            erasure=ErasureOut.model_validate(erasing.row),
            held_by=[HeldByOut.model_validate(hold) for hold in erasing.held_by],
            receipt=ReceiptOut.model_validate(erasing.receipt),
        )


class ErasuresOut(Answer):
    """Erasures, newest first."""

    erasures: list[ErasureOut]
