from typing import Any

import pytest

from guard.clock import from_rfc3339
from guard.errors import InvalidRequestError
from guard.purposes.feeds.servicenow import case_of
from guard.purposes.reports import AssignmentPut, CasePut
from tests.unit.guard.purposes.feeds.makers import changed

RECORD: dict[str, Any] = {
    "table": "sn_customerservice_case",
    "operation": "insert",
    "changes": [],
    "record": {
        "number": "CS0001001",
        "contact": "cust-7",
        "contact_type": "phone",
        "opened_at": "2026-11-18 12:00:00",
        "opened_by": "",
        "closed_at": "",
        "assigned_to": "a1",
        "escalation": "0",
        "sys_updated_on": "2026-11-18 12:00:05",
    },
}
UPDATE = changed(RECORD, operation="update", changes=["assigned_to"])


def test_an_inserted_record_is_an_assigned_case() -> None:
    assert case_of(RECORD, "crm") == CasePut(
        id="CS0001001",
        source="crm",
        source_key="cust-7",
        channel="phone",
        opened_at=from_rfc3339("2026-11-18T12:00:00Z"),
        as_of=from_rfc3339("2026-11-18T12:00:05Z"),
        assignments=(
            AssignmentPut(agent="a1", how="inbound", from_at=from_rfc3339("2026-11-18T12:00:05Z")),
        ),
    )


@pytest.mark.parametrize(
    ("previous", "escalation", "how"),
    [(None, "2", "inbound"), ("a2", "0", "transfer"), ("a2", "2", "escalation")],
)
def test_another_agent_after_a_first_is_a_hand_over(
    previous: str | None, escalation: str, how: str
) -> None:
    sent = changed(UPDATE, previous__assigned_to=previous, record__escalation=escalation)
    assert [a.how for a in case_of(sent, "crm").assignments] == [how]


def test_other_changes_assign_nobody() -> None:
    for sent in (changed(UPDATE, changes=["state"]), changed(RECORD, record__assigned_to="")):
        assert case_of(sent, "crm").assignments == ()


def test_a_closed_record_says_when_and_by_whom_it_was_opened() -> None:
    sent = changed(RECORD, record__closed_at="2026-11-18 12:30:00", record__opened_by="a1")
    case = case_of(sent, "crm")
    assert (case.closed_at, case.opened_by) == (from_rfc3339("2026-11-18T12:30:00Z"), "a1")


def test_a_record_without_a_contact_is_named_by_an_identifier() -> None:
    sent = changed(RECORD, record__contact="", record__contact_email="m@example.com")
    assert case_of(sent, "crm").identifier == ("email", "m@example.com")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("table", "incident"),
        ("operation", None),
        ("changes", 7),
        ("record", None),
        ("record__number", None),
        ("record__contact", None),
        ("record__contact_type", None),
        ("record__opened_at", "18/11/2026"),
        ("record__closed_at", "never"),
        ("record__sys_updated_on", None),
    ],
)
def test_what_lacks_a_needed_part_is_refused(place: str, value: object) -> None:
    with pytest.raises(InvalidRequestError):
        case_of(changed(UPDATE, **{place: value}), "crm")


@pytest.mark.parametrize(
    ("who", "how"), [("a1", "self"), ("dispatcher", "transfer"), (None, "transfer")]
)
def test_an_agent_who_assigned_the_case_to_themselves_took_it(who: str | None, how: str) -> None:
    sent = changed(UPDATE, actor=who, previous__assigned_to="a2")
    assert [a.how for a in case_of(sent, "crm").assignments] == [how]
