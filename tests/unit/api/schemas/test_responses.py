import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.parse import parse
from api.schemas.responses import ContestBody, NoticeOut, ReasonBody, ResponseOut, SuspendBody
from guard.clock import to_rfc3339
from tests.support.makers import NOON, make_response

SUSPEND = {"agent": "a1", "reason": "a review is under way", "ends_at": "2026-11-18T13:00:00Z"}


def test_a_suspension_names_an_agent_a_reason_and_an_end() -> None:
    body = parse(SuspendBody, json.dumps(SUSPEND).encode())
    assert (body.agent, body.ends_at) == ("a1", NOON + 3_600_000_000)


def test_a_suspension_may_name_somebody_as_an_alert_calls_them() -> None:
    named = {k: v for k, v in SUSPEND.items() if k != "agent"}
    body = parse(SuspendBody, json.dumps(named | {"alert": "01", "pseudonym": "Heron-31"}).encode())
    assert (body.agent, body.alert, body.pseudonym) == (None, "01", "Heron-31")


@pytest.mark.parametrize("missing", ["reason", "ends_at"])
def test_nobody_is_suspended_without_a_reason_or_an_end(missing: str) -> None:
    body = {k: v for k, v in SUSPEND.items() if k != missing}
    with pytest.raises(RequestValidationError):
        parse(SuspendBody, json.dumps(body).encode())


@pytest.mark.parametrize(("model", "name"), [(ReasonBody, "reason"), (ContestBody, "text")])
def test_an_empty_text_is_no_reason(model: type[ReasonBody | ContestBody], name: str) -> None:
    with pytest.raises(RequestValidationError):
        parse(model, json.dumps({name: ""}).encode())


def test_a_notice_does_not_say_by_whom() -> None:
    shown = NoticeOut.of(make_response(by="analyst-1", alert_id="01")).model_dump(mode="json")
    assert "analyst-1" not in json.dumps(shown)
    assert {"by", "alert_id"}.isdisjoint(shown)


def test_a_notice_says_what_why_and_until_when() -> None:
    row = make_response(contested="I was on the list")
    shown = NoticeOut.of(row).model_dump(mode="json")
    assert shown == {
        "id": "r1",
        "kind": row.kind.value,
        "reason": "under review",
        "starts_at": to_rfc3339(row.starts_at),
        "ends_at": to_rfc3339(row.ends_at),
        "ended_at": None,
        "contested": "I was on the list",
    }


def test_a_reviewer_sees_by_whom_and_from_which_alert() -> None:
    shown = ResponseOut.model_validate(make_response(alert_id="01"))
    assert (shown.by, shown.alert_id) == ("analyst-1", "01")


def test_a_lifted_response_says_when() -> None:
    shown = ResponseOut.model_validate(make_response(ended_at=NOON + 1)).model_dump(mode="json")
    assert shown["ended_at"] == to_rfc3339(NOON + 1)
