"""Case changes in the style of Salesforce: a change event's header beside the whole record.

The header says what changed and when; an assignment is reported when the case was made or its owner
changed, and only for people: an owner that is a queue has nobody who works on it yet. People are
named by the federation id that the directory knows them by.
"""

from typing import Any

from guard.clock import Micros
from guard.errors import InvalidRequestError
from guard.purposes.feeds.payload import MAX_CHANNEL, Payload, customer_of
from guard.purposes.reports import AssignmentPut, CasePut

# Ids tell their kind by their first three characters: a group, which is a queue.
_QUEUE = "00G"
_IDENTIFIERS = {"email": "payload.SuppliedEmail", "phone": "payload.SuppliedPhone"}
_MILLI = 1_000


def case_of(body: object, customers: str) -> CasePut:
    """The case that a change is about.

    Raises:
        InvalidRequestError: A part that is needed is missing or wrong, or it is no case.
    """
    payload = Payload(body)
    if payload.text("payload.ChangeEventHeader.entityName") != "Case":
        raise InvalidRequestError("the payload is about no case: send changes of cases only")
    who: dict[str, Any] = customer_of(payload, "payload.ContactId", _IDENTIFIERS, customers)
    is_closed = payload.flag("payload.IsClosed")
    return CasePut(
        id=payload.text("payload.CaseNumber"),
        channel=payload.text("payload.Origin", MAX_CHANNEL).lower(),
        opened_at=payload.time("payload.CreatedDate"),
        opened_by=payload.maybe("payload.CreatedBy.FederationIdentifier"),
        closed_at=payload.time("payload.ClosedDate") if is_closed else None,
        assignments=_assigned(payload),
        as_of=_committed(payload),
        released_at=_committed(payload) if _is_reassigned(payload) else None,
        **who,
    )


def _assigned(payload: Payload) -> tuple[AssignmentPut, ...]:
    is_new = payload.text("payload.ChangeEventHeader.changeType") == "CREATE"
    owner = payload.maybe("payload.OwnerId")
    agent = payload.maybe("payload.Owner.FederationIdentifier")
    if owner is None or owner.startswith(_QUEUE) or agent is None:
        return ()
    if not (is_new or _is_reassigned(payload)):
        return ()
    how = "inbound"
    previous = payload.maybe("payload.PreviousOwnerId")
    if payload.maybe("payload.ChangeEventHeader.commitUser") == owner:
        how = "self"
    elif previous is not None and not previous.startswith(_QUEUE):
        how = "escalation" if payload.flag("payload.IsEscalated") else "transfer"
    return (AssignmentPut(agent=agent, how=how, from_at=_committed(payload)),)


def _is_reassigned(payload: Payload) -> bool:
    return "OwnerId" in payload.words("payload.ChangeEventHeader.changedFields")


def _committed(payload: Payload) -> Micros:
    """When the change was made: milliseconds since 1970."""
    place = "payload.ChangeEventHeader.commitTimestamp"
    text = payload.text(place)
    if not (text.isascii() and text.isdigit() and len(text) <= 15):  # noqa: PLR2004 - year 9999
        raise InvalidRequestError(f"the payload's {place} is no number of milliseconds")
    return int(text) * _MILLI
