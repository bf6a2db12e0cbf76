import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.grants import GlassBody, GlassOut, GlassReviewBody, GrantOut, PresenceBody
from api.schemas.parse import parse
from guard.break_glass import Glass, GlassPut, ReasonCode
from tests.unit.api.fakes import grant

TEXT = "the ticket system is down since noon"
GLASS = {"customer": "ref-1", "reason_code": "system_outage", "text": TEXT, "minutes": 15}


def test_a_break_glass_becomes_what_the_service_takes() -> None:
    assert parse(GlassBody, json.dumps(GLASS | {"case": "k-1"}).encode()).put() == GlassPut(
        customer="ref-1", reason_code=ReasonCode.SYSTEM_OUTAGE, text=TEXT, minutes=15, case="k-1"
    )


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_code_is_taken(code: ReasonCode) -> None:
    assert parse(GlassBody, json.dumps(GLASS | {"reason_code": code}).encode()).reason_code is code


@pytest.mark.parametrize(
    "wrong", [{"reason_code": "other"}, {"text": "x" * 19}, {"text": "x" * 2_001}, {"minutes": 61}]
)
def test_what_is_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RequestValidationError):
        parse(GlassBody, json.dumps(GLASS | wrong).encode())


def test_a_review_needs_one_of_two_outcomes_and_a_note() -> None:
    assert parse(GlassReviewBody, b'{"outcome": "justified", "note": "n"}').note == "n"
    for wrong in (b'{"outcome": "fine", "note": "n"}', b'{"outcome": "justified"}'):
        with pytest.raises(RequestValidationError):
            parse(GlassReviewBody, wrong)


def test_a_code_is_six_ascii_digits() -> None:
    assert parse(PresenceBody, b'{"customer": "c", "code": "000123"}').code == "000123"
    for code in ("1", "1234567", "12345a", "\uff11\uff12\uff13\uff14\uff15\uff16", "123456\n"):
        with pytest.raises(RequestValidationError):
            parse(PresenceBody, json.dumps({"customer": "c", "code": code}).encode())


def test_a_grant_calls_its_customer_by_reference_and_names_nobody() -> None:
    shown = GrantOut.model_validate(grant()).model_dump(mode="json")
    assert shown["customer"] == "ref-1"
    assert "agent_id" not in shown


def test_a_watched_grant_shows_a_pseudonym() -> None:
    glass = Glass(row=grant(reviewed_by="ana"), agent="agent-7f3k-9m2q", is_overdue=True)
    shown = GlassOut.of(glass).model_dump(mode="json")
    assert (shown["agent"], shown["overdue"], shown["text"]) == ("agent-7f3k-9m2q", True, None)
    assert "u17" not in json.dumps(shown)
