"""Handing a case over: the receiver's right begins, the sender's ends.

A transfer or an escalation ends every other hold on the case, whether or not the ticket system says
so; for a moment both may look, because a warm transfer is a call of three. Who is asked in without
taking over (`consult`) ends nobody's hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from guard.clock import MINUTE, Micros
from guard.rows import AssignmentRow

# Both agents are on the line: the sender introduces the customer, then hangs up.
WARM_OVERLAP: Micros = 5 * MINUTE

HAND_OVERS = frozenset({"transfer", "escalation"})
# Ways of working on a case that a hand-over takes away from the others.
HELD = frozenset({"inbound", "transfer", "escalation", "queue", "self"})


def handed_at(mine: AssignmentRow, others: Iterable[AssignmentRow]) -> Micros | None:
    """When the case was taken over from the holder of `mine`; None: it was not."""
    return min((one.from_at for one in others if _takes_over(one, mine)), default=None)


def with_ends(rows: Sequence[AssignmentRow]) -> list[AssignmentRow]:
    """All assignments of a case, with the ends that the ticket system forgot to report."""
    ended = []
    for row in rows:
        taken = None if row.to_at is not None else handed_at(row, rows)
        ended.append(row if taken is None else replace(row, to_at=taken))
    return ended


def released(
    known: Mapping[tuple[str, Micros], AssignmentRow], at: Micros | None
) -> dict[tuple[str, Micros], AssignmentRow]:
    """Assignments by agent and start, with every hold ended that began before `at` (None: none)."""
    return {
        key: replace(row, to_at=at)
        if at is not None and row.to_at is None and row.how in HELD and row.from_at < at
        else row
        for key, row in known.items()
    }


def _takes_over(one: AssignmentRow, mine: AssignmentRow) -> bool:
    if one.how not in HAND_OVERS or mine.how not in HELD or one.agent_id == mine.agent_id:
        return False
    # Ticket systems tell whole seconds: what begins with the hand-over itself was there before it.
    is_same_time = one.from_at == mine.from_at and mine.how not in HAND_OVERS
    return one.from_at > mine.from_at or is_same_time
