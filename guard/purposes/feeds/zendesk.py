"""Ticket events in the style of Zendesk: `detail` is the whole ticket, `event` what changed.

An assignment is reported by the events that make one (`ticket.created`,
`ticket.agent_assignment_changed`); all others bring the ticket's state alone, so that a comment
does not assign the ticket anew. Agents are named by the external id that the directory knows.
"""

from typing import Any

from guard.purposes.feeds.payload import MAX_CHANNEL, Payload, customer_of
from guard.purposes.reports import AssignmentPut, CasePut

_REASSIGNED = "ticket.agent_assignment_changed"
_ASSIGNING = ("ticket.created", _REASSIGNED)
_CLOSED = frozenset({"solved", "closed"})
_ESCALATED = "escalated"
_IDENTIFIERS = {"email": "detail.requester.email", "phone": "detail.requester.phone"}


def case_of(body: object, customers: str) -> CasePut:
    """The case that a ticket event is about.

    Raises:
        InvalidRequestError: A part that is needed is missing or wrong.
    """
    payload = Payload(body)
    kind = payload.text("type").removeprefix("zen:event-type:")
    status = payload.text("detail.status").lower()
    who: dict[str, Any] = customer_of(
        payload, "detail.requester.external_id", _IDENTIFIERS, customers
    )
    return CasePut(
        id=payload.text("detail.id"),
        channel=payload.text("detail.via.channel", MAX_CHANNEL),
        opened_at=payload.time("detail.created_at"),
        # Whom the ticket was submitted by, if it was an agent.
        opened_by=payload.maybe("detail.submitter.external_id"),
        closed_at=payload.time("detail.updated_at") if status in _CLOSED else None,
        assignments=_assigned(payload, kind),
        released_at=payload.time("time") if kind == _REASSIGNED else None,
        as_of=payload.maybe_time("time"),
        **who,
    )


def _assigned(payload: Payload, kind: str) -> tuple[AssignmentPut, ...]:
    agent = payload.maybe("detail.assignee.external_id")
    if agent is None or kind not in _ASSIGNING:
        return ()
    how = "inbound"
    if _is_taken(payload, agent):
        how = "self"
    elif payload.maybe("event.previous") is not None:
        is_up = _ESCALATED in payload.words("detail.tags")
        how = "escalation" if is_up else "transfer"
    return (AssignmentPut(agent=agent, how=how, from_at=payload.time("time")),)


def _is_taken(payload: Payload, agent: str) -> bool:
    """Whether the assignee made the change; where nobody is named, somebody else did."""
    actor = payload.maybe("detail.actor.external_id")
    if actor is not None:
        return actor == agent
    number = payload.maybe("detail.actor_id")
    return number is not None and number == payload.maybe("detail.assignee_id")
