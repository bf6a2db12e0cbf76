"""Customer-service cases in the style of ServiceNow: a business rule sends the whole record.

`changes` names the fields that changed; an assignment is reported when the record was inserted or
`assigned_to` is among them. `actor` is who made the change, by the same id as `assigned_to`. Times
are UTC without an offset, as the table keeps them.
"""

from typing import Any

from guard.clock import Micros
from guard.errors import InvalidRequestError
from guard.purposes.feeds.payload import MAX_CHANNEL, Payload, customer_of, instant
from guard.purposes.reports import AssignmentPut, CasePut

_TABLE = "sn_customerservice_case"
_IDENTIFIERS = {"email": "record.contact_email", "phone": "record.contact_phone"}
# The field's values: 0 normal, 1 moderate, 2 high, 3 overdue.
_NORMAL = (None, "0")
_UPDATED = "record.sys_updated_on"


def case_of(body: object, customers: str) -> CasePut:
    """The case that a record is about.

    Raises:
        InvalidRequestError: A part that is needed is missing or wrong, or it is no case.
    """
    payload = Payload(body)
    if payload.text("table") != _TABLE:
        raise InvalidRequestError(f"the payload is about no case: send records of {_TABLE} only")
    who: dict[str, Any] = customer_of(payload, "record.contact", _IDENTIFIERS, customers)
    return CasePut(
        id=payload.text("record.number"),
        channel=payload.text("record.contact_type", MAX_CHANNEL),
        opened_at=_time(payload, "record.opened_at"),
        opened_by=payload.maybe("record.opened_by"),
        closed_at=_maybe_time(payload, "record.closed_at"),
        assignments=_assigned(payload),
        as_of=_maybe_time(payload, _UPDATED),
        released_at=_time(payload, _UPDATED) if _is_reassigned(payload) else None,
        **who,
    )


def _assigned(payload: Payload) -> tuple[AssignmentPut, ...]:
    agent = payload.maybe("record.assigned_to")
    is_new = payload.text("operation") == "insert"
    if agent is None or not (is_new or _is_reassigned(payload)):
        return ()
    how = "inbound"
    if payload.maybe("actor") == agent:
        how = "self"
    elif payload.maybe("previous.assigned_to") is not None:
        is_up = payload.maybe("record.escalation") not in _NORMAL
        how = "escalation" if is_up else "transfer"
    return (AssignmentPut(agent=agent, how=how, from_at=_time(payload, _UPDATED)),)


def _is_reassigned(payload: Payload) -> bool:
    return "assigned_to" in payload.words("changes")


def _time(payload: Payload, place: str) -> Micros:
    return instant(place, payload.text(place).replace(" ", "T", 1) + "Z")


def _maybe_time(payload: Payload, place: str) -> Micros | None:
    return None if payload.maybe(place) is None else _time(payload, place)
