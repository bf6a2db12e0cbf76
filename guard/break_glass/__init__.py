"""Break-glass: somebody opens one customer without a case, says why, and answers for it.

The reason is a code of a closed list and a text; the glass stays broken for minutes. It is scarce,
noticed at once (an alert in the same transaction) and reviewed afterwards by somebody outside the
agent's line. What is asked and refused is an entry as well.

terms     the words of it, its one entry, and what they all go by
asking    who may break the glass, whom for, how often; ending it early
reading   who may read what about it, and that reading what was typed is an entry
reviewing whether it was justified
service   the four together, as the service offers them

The text and the reviewer's note are sealed with the customer's part of the entry; nothing else
keeps them. Deciding what a broken glass shows is the policy's business; that a review is overdue
is told by `guard.after_reviews`.
"""

from guard.break_glass.service import BreakGlass
from guard.break_glass.terms import (
    MAX_MINUTES,
    MIN_TEXT,
    Glass,
    GlassPut,
    GlassState,
    ReasonCode,
    ReviewOutcome,
)

__all__ = [
    "MAX_MINUTES",
    "MIN_TEXT",
    "BreakGlass",
    "Glass",
    "GlassPut",
    "GlassState",
    "ReasonCode",
    "ReviewOutcome",
]
