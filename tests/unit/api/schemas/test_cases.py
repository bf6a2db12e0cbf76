import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.cases import (
    MAX_ASSIGNMENTS,
    MAX_BATCH,
    CaseBatchBody,
    CaseBody,
    CaseOut,
    CustomerBody,
    EnrolBody,
)
from api.schemas.parse import parse
from guard.enrolment import CustomerPut
from guard.purposes.reports import AssignmentPut, CasePut
from policies.model import Tier
from tests.support.makers import NOON, make_case

AT = "2026-11-18T12:00:00Z"
CASE = {"customer": "ref-1", "channel": "phone", "opened_at": AT}
ASSIGNMENT = {"agent": "a1", "how": "inbound", "from": AT}
CUSTOMER = {"source": "crm", "source_key": "1", "region": "eu"}


def test_a_case_becomes_what_the_service_takes() -> None:
    asked = CASE | {
        "customer": None,
        "source": "crm",
        "source_key": "17",
        "region": "eu",
        "opened_by": "a2",
        "closed_at": "2026-11-18T12:00:02Z",
        "assignments": [ASSIGNMENT | {"to": "2026-11-18T12:00:01Z"}],
    }
    assert parse(CaseBody, json.dumps(asked).encode()).put("k1") == CasePut(
        id="k1",
        customer=None,
        source="crm",
        source_key="17",
        region="eu",
        channel="phone",
        opened_at=NOON,
        opened_by="a2",
        closed_at=NOON + 2_000_000,
        assignments=(
            AssignmentPut(agent="a1", how="inbound", from_at=NOON, to_at=NOON + 1_000_000),
        ),
    )


def test_an_assignment_without_an_end_goes_on() -> None:
    body = parse(CaseBody, json.dumps(CASE | {"assignments": [ASSIGNMENT]}).encode())
    assert body.put("k1").assignments[0].to_at is None


@pytest.mark.parametrize("how", ["inbound", "transfer", "escalation", "qa", "self"])
def test_an_agent_comes_to_a_case_in_known_ways(how: str) -> None:
    body = parse(CaseBody, json.dumps(CASE | {"assignments": [ASSIGNMENT | {"how": how}]}).encode())
    assert body.assignments[0].how == how


def test_an_unknown_way_to_a_case_is_refused() -> None:
    wrong = CASE | {"assignments": [ASSIGNMENT | {"how": "because"}]}
    with pytest.raises(RequestValidationError):
        parse(CaseBody, json.dumps(wrong).encode())


def test_a_case_has_a_bounded_number_of_assignments() -> None:
    wrong = CASE | {"assignments": [ASSIGNMENT] * (MAX_ASSIGNMENTS + 1)}
    with pytest.raises(RequestValidationError):
        parse(CaseBody, json.dumps(wrong).encode())


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
def test_a_batch_is_neither_empty_nor_endless(count: int) -> None:
    with pytest.raises(RequestValidationError):
        parse(CaseBatchBody, json.dumps({"cases": [CASE | {"id": "k"}] * count}).encode())


def test_a_case_of_a_batch_brings_its_id() -> None:
    with pytest.raises(RequestValidationError):
        parse(CaseBatchBody, json.dumps({"cases": [CASE]}).encode())


def test_a_stored_case_calls_its_customer_by_reference() -> None:
    shown = CaseOut.model_validate(make_case(ref="ref-9")).model_dump(mode="json")
    assert shown["customer"] == "ref-9"
    assert "ref" not in shown


def test_a_customer_is_of_the_standard_tier_unless_said_otherwise() -> None:
    put = parse(CustomerBody, json.dumps(CUSTOMER).encode()).put()
    assert put == CustomerPut(source="crm", source_key="1", region="eu", tier=Tier.STANDARD)


def test_a_customer_keeps_the_tier_that_is_said() -> None:
    body = parse(EnrolBody, json.dumps({"customers": [CUSTOMER | {"tier": "vip"}]}).encode())
    assert body.customers[0].put().tier is Tier.VIP
