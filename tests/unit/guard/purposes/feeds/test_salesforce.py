from typing import Any

import pytest

from guard.clock import from_rfc3339
from guard.errors import InvalidRequestError
from guard.purposes.feeds.salesforce import case_of
from guard.purposes.reports import AssignmentPut, CasePut
from tests.unit.guard.purposes.feeds.makers import changed

AT = from_rfc3339("2026-11-18T12:00:05Z")
CHANGE: dict[str, Any] = {
    "payload": {
        "ChangeEventHeader": {
            "entityName": "Case",
            "changeType": "CREATE",
            "changedFields": [],
            "commitTimestamp": AT // 1000,
        },
        "CaseNumber": "00001026",
        "Origin": "Phone",
        "ContactId": "003x7",
        "CreatedDate": "2026-11-18T12:00:00.000+0000".replace("+0000", "Z"),
        "CreatedBy": {},
        "OwnerId": "005x1",
        "Owner": {"FederationIdentifier": "a1"},
        "IsClosed": False,
    }
}
UPDATE = changed(
    CHANGE,
    payload__ChangeEventHeader__changeType="UPDATE",
    payload__ChangeEventHeader__changedFields=["OwnerId", "LastModifiedDate"],
)


def test_a_new_case_is_assigned_to_its_owner() -> None:
    assert case_of(CHANGE, "crm") == CasePut(
        id="00001026",
        source="crm",
        source_key="003x7",
        channel="phone",
        opened_at=from_rfc3339("2026-11-18T12:00:00Z"),
        as_of=AT,
        assignments=(AssignmentPut(agent="a1", how="inbound", from_at=AT),),
    )


@pytest.mark.parametrize(
    ("previous", "escalated", "how"),
    [
        (None, True, "inbound"),
        ("00Gx9", True, "inbound"),
        ("005x2", False, "transfer"),
        ("005x2", True, "escalation"),
    ],
)
def test_a_new_owner_after_another_person_is_a_hand_over(
    previous: str | None, how: str, *, escalated: bool
) -> None:
    sent = changed(UPDATE, payload__PreviousOwnerId=previous, payload__IsEscalated=escalated)
    assert [a.how for a in case_of(sent, "crm").assignments] == [how]


def test_other_changes_and_queues_assign_nobody() -> None:
    other = changed(UPDATE, payload__ChangeEventHeader__changedFields=["Subject"])
    for sent in (
        other,
        changed(CHANGE, payload__OwnerId="00Gx9"),
        changed(CHANGE, payload__OwnerId=None),
        changed(CHANGE, payload__Owner=None),
    ):
        assert case_of(sent, "crm").assignments == ()


def test_a_closed_case_says_when_and_an_opener_is_named() -> None:
    sent = changed(
        CHANGE,
        payload__IsClosed=True,
        payload__ClosedDate="2026-11-18T12:30:00Z",
        payload__CreatedBy__FederationIdentifier="a1",
    )
    case = case_of(sent, "crm")
    assert (case.closed_at, case.opened_by) == (from_rfc3339("2026-11-18T12:30:00Z"), "a1")


def test_a_case_without_a_contact_is_named_by_an_identifier() -> None:
    sent = changed(CHANGE, payload__ContactId=None, payload__SuppliedPhone="+34 612 345 678")
    assert case_of(sent, "crm").identifier == ("phone", "+34 612 345 678")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("payload", None),
        ("payload__ChangeEventHeader__entityName", "Contact"),
        ("payload__ChangeEventHeader__commitTimestamp", "soon"),
        ("payload__ChangeEventHeader__commitTimestamp", "9" * 16),
        ("payload__ChangeEventHeader__changeType", None),
        ("payload__ChangeEventHeader__changedFields", "OwnerId"),
        ("payload__CaseNumber", None),
        ("payload__Origin", None),
        ("payload__ContactId", None),
        ("payload__CreatedDate", "2026"),
        ("payload__IsClosed", "perhaps"),
        ("payload__IsClosed", True),
    ],
)
def test_what_lacks_a_needed_part_is_refused(place: str, value: object) -> None:
    with pytest.raises(InvalidRequestError):
        case_of(changed(CHANGE, **{place: value}), "crm")


@pytest.mark.parametrize(("who", "how"), [("005x1", "self"), ("005x9", "transfer")])
def test_an_owner_who_made_the_change_took_the_case(who: str, how: str) -> None:
    sent = changed(
        UPDATE,
        payload__PreviousOwnerId="005x2",
        payload__ChangeEventHeader__commitUser=who,
    )
    assert [a.how for a in case_of(sent, "crm").assignments] == [how]
