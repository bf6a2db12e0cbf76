from typing import Any

import pytest

from guard.clock import from_rfc3339
from guard.errors import InvalidRequestError
from guard.purposes.feeds.zendesk import case_of
from guard.purposes.reports import AssignmentPut, CasePut
from tests.unit.guard.purposes.feeds.makers import changed

ASSIGNED = "zen:event-type:ticket.agent_assignment_changed"
TICKET: dict[str, Any] = {
    "type": "zen:event-type:ticket.created",
    "time": "2026-11-18T12:00:05Z",
    "detail": {
        "id": "5158",
        "status": "OPEN",
        "via": {"channel": "web"},
        "created_at": "2026-11-18T12:00:00Z",
        "updated_at": "2026-11-18T12:30:00Z",
        "requester": {"external_id": "cust-7", "email": "maria@example.com"},
        "submitter": {},
        "assignee": {"external_id": "a1"},
        "tags": ["billing"],
    },
    "event": {},
}


def test_a_new_ticket_is_an_assigned_case() -> None:
    assert case_of(TICKET, "crm") == CasePut(
        id="5158",
        source="crm",
        source_key="cust-7",
        channel="web",
        opened_at=from_rfc3339("2026-11-18T12:00:00Z"),
        as_of=from_rfc3339("2026-11-18T12:00:05Z"),
        assignments=(
            AssignmentPut(agent="a1", how="inbound", from_at=from_rfc3339("2026-11-18T12:00:05Z")),
        ),
    )


@pytest.mark.parametrize(
    ("previous", "tags", "how"),
    [
        (None, ["escalated"], "inbound"),
        ("77", ["billing"], "transfer"),
        ("77", ["escalated"], "escalation"),
    ],
)
def test_an_assignment_that_had_another_agent_is_a_hand_over(
    previous: str | None, tags: list[str], how: str
) -> None:
    sent = changed(TICKET, type=ASSIGNED, event__previous=previous, detail__tags=tags)
    assert [a.how for a in case_of(sent, "crm").assignments] == [how]


def test_other_events_assign_nobody_and_a_solved_ticket_is_closed() -> None:
    sent = changed(TICKET, type="zen:event-type:ticket.status_changed", detail__status="SOLVED")
    case = case_of(sent, "crm")
    assert (case.assignments, case.closed_at) == ((), from_rfc3339("2026-11-18T12:30:00Z"))
    assert case_of(changed(TICKET, detail__assignee=None), "crm").assignments == ()


def test_an_agent_who_submitted_the_ticket_opened_it() -> None:
    assert case_of(changed(TICKET, detail__submitter__external_id="a1"), "crm").opened_by == "a1"


def test_a_requester_without_a_key_is_named_by_an_identifier() -> None:
    case = case_of(changed(TICKET, detail__requester__external_id=None), "crm")
    assert (case.source_key, case.identifier) == (None, ("email", "maria@example.com"))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("type", None),
        ("detail", None),
        ("detail__id", None),
        ("detail__id", "x" * 200),
        ("detail__status", 1.5),
        ("detail__via", None),
        ("detail__created_at", "yesterday"),
        ("detail__requester", None),
        ("detail__tags", "escalated"),
        ("time", None),
    ],
)
def test_a_ticket_without_a_needed_part_is_refused_by_its_place(place: str, value: object) -> None:
    sent = changed(TICKET, type=ASSIGNED, event__previous="77")
    with pytest.raises(InvalidRequestError) as caught:
        case_of(changed(sent, **{place: value}), "crm")
    assert place.partition("__")[0] in str(caught.value)
    assert "maria" not in str(caught.value)


@pytest.mark.parametrize("assignee", [{}, {"external_id": "a2"}])
def test_a_new_assignee_or_none_takes_the_ticket_from_whoever_had_it(
    assignee: dict[str, str],
) -> None:
    sent = changed(TICKET, type=ASSIGNED, detail__assignee=assignee)
    assert case_of(sent, "crm").released_at == from_rfc3339("2026-11-18T12:00:05Z")
    assert case_of(TICKET, "crm").released_at is None


@pytest.mark.parametrize(
    ("named", "how"),
    [
        ({}, "inbound"),
        ({"detail__actor": {"external_id": "a1"}}, "self"),
        ({"detail__actor": {"external_id": "dispatcher"}}, "inbound"),
        ({"detail__actor_id": 77, "detail__assignee_id": 77}, "self"),
        ({"detail__actor_id": 77, "detail__assignee_id": 78}, "inbound"),
        ({"detail__actor_id": 77}, "inbound"),
    ],
)
def test_an_assignee_who_made_the_change_took_the_ticket(
    named: dict[str, object], how: str
) -> None:
    sent = changed(TICKET, type=ASSIGNED, **named)
    assert [a.how for a in case_of(sent, "crm").assignments] == [how]
