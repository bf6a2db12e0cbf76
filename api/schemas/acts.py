"""What all acts on records have in common on the wire."""

from api.schemas.views import BudgetOut, ReceiptOut
from api.schemas.words import Answer


class ActOut(Answer):
    """What an act cost, and the promise that its entry is in the log."""

    would: str
    quota: list[BudgetOut]
    receipt: ReceiptOut
