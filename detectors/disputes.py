"""Customers who say that an agent's contact was none: weak evidence, and bounded.

People forget, share a phone, and can frame an agent. So a dispute is no channel of its own and no
alert: it counts once for a customer and an agent in a period, all of them together weigh at most a
tenth of the line, and only when the agent's own views already stand close to it. A finding that
they went into says so in words, and is no more urgent for it.
"""

from dataclasses import replace

from detectors.state import EVIDENCE_KEPT, Disputed, FloorState
from guard.clock import DAY, Micros
from guard.events import DisputeEvent
from guard.findings import Finding

NAME = "disputes"
# A customer who disputes again within it says nothing new.
PERIOD: Micros = 30 * DAY
# Parts of the line: what one customer weighs, and all together at most.
EACH, MOST = 0.04, 0.1
# Remembered for one agent: many times what can weigh.
KEPT = 50


def note(floor: FloorState, event: DisputeEvent) -> None:
    """Remember a dispute, unless its customer has one against the same agent in this period."""
    held = floor.disputes.setdefault(event.agent_id, [])
    since = event.ts - PERIOD
    if not any(one.customer == event.customer_id and one.ts > since for one in held):
        held.append(Disputed(event.ts, event.customer_id, event.position))
        del held[:-KEPT]


def forget(floor: FloorState) -> None:
    """Drop what is older than a period."""
    since = floor.now - PERIOD
    kept = {
        agent: [one for one in held if one.ts > since] for agent, held in floor.disputes.items()
    }
    floor.disputes = {agent: held for agent, held in kept.items() if held}


def weight(floor: FloorState, agent_id: str, threshold: float) -> float:
    """What the disputes against an agent add to its score right now."""
    return min(MOST, EACH * len(_recent(floor, agent_id))) * threshold


def added(finding: Finding, floor: FloorState, agent_id: str, weight: float) -> Finding:
    """The finding with what `weight` of disputes adds: its severity stays."""
    held = _recent(floor, agent_id)
    if not held or weight <= 0.0:
        return finding
    score = finding.score + weight
    part = weight / score
    reason = (
        f"{len(held)} customers say that a contact of this agent's was none of theirs; customers"
        f" can be mistaken: it is {part:.0%} of this score and of no weight by itself"
    )
    evidence = sorted({*finding.evidence, *(one.position for one in held)})[-EVIDENCE_KEPT:]
    return replace(
        finding,
        score=score,
        channels=(*finding.channels, NAME),
        reasons=(*finding.reasons, reason),
        contributions=(
            *((name, share * (1.0 - part)) for name, share in finding.contributions),
            (NAME, part),
        ),
        evidence=tuple(evidence),
        explained_by=(
            *finding.explained_by,
            "a recorded contact of these customers (call, chat, mail) would explain it",
        ),
    )


def _recent(floor: FloorState, agent_id: str) -> list[Disputed]:
    since = floor.now - PERIOD
    return [one for one in floor.disputes.get(agent_id, ()) if one.ts > since]
