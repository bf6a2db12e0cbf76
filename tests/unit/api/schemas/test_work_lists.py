import json

import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.parse import parse
from api.schemas.work_lists import (
    ApprovalBody,
    StatedListOut,
    UploadOut,
    WorkListBody,
    WorkListOut,
)
from guard.purposes.list_members import Upload
from guard.purposes.list_rows import BadRow, Fault
from guard.purposes.work_lists import StatedList, WorkListPut
from tests.support.makers import NOON, make_work_list

AT = "2026-11-18T12:00:00Z"
LIST = {
    "team": "team-1",
    "campaign": "spring",
    "starts_at": AT,
    "ends_at": "2026-11-18T12:00:01Z",
    "customers": ["ref-1", "ref-2"],
}


def test_a_work_list_becomes_what_the_service_takes() -> None:
    assert parse(WorkListBody, json.dumps(LIST).encode()).put("w1") == WorkListPut(
        id="w1",
        team="team-1",
        campaign="spring",
        starts_at=NOON,
        ends_at=NOON + 1_000_000,
        customers=("ref-1", "ref-2"),
    )


def test_a_list_of_nobody_is_refused() -> None:
    with pytest.raises(RequestValidationError):
        parse(WorkListBody, json.dumps(LIST | {"customers": []}).encode())


def test_a_stored_list_shows_its_size_and_not_its_customers() -> None:
    shown = WorkListOut.model_validate(make_work_list(size=7)).model_dump(mode="json")
    assert (shown["size"], shown["approved_by"]) == (7, "manager-2")
    assert "customers" not in shown


def test_a_list_may_bound_fields_and_pace_and_be_uploaded_later() -> None:
    asked: dict[str, object] = {k: v for k, v in LIST.items() if k != "customers"}
    asked |= {"fields": ["full_name", "phone", "phone"], "pace": 12}
    put = parse(WorkListBody, json.dumps(asked).encode()).put("w1")
    assert (put.customers, put.fields, put.pace) == (None, ("full_name", "phone"), 12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pace": 0},
        {"pace": 1_001},
        {"pace": "12"},
        {"pace": True},
        {"fields": []},
        {"fields": [""]},
    ],
)
def test_bounds_that_bound_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RequestValidationError):
        parse(WorkListBody, json.dumps(LIST | wrong).encode())


def test_an_approval_names_the_digest_of_what_was_read() -> None:
    assert parse(ApprovalBody, json.dumps({"digest": "0a" * 32}).encode()).digest == "0a" * 32
    for body in (b"{}", b'{"digest": null}', b'{"digest": "0A"}'):
        with pytest.raises(RequestValidationError):
            parse(ApprovalBody, body)


def test_an_upload_tells_lines_and_rules_and_no_content() -> None:
    stated = StatedList(row=make_work_list(size=2, pace=5, fields=("phone",)), digest="ab" * 32)
    bad = BadRow(line=3, fault=Fault.UNREADABLE)
    upload = Upload(rows=4, rejected=1, duplicates=1, faults=[bad])
    shown = UploadOut.of(upload, stated).model_dump(mode="json")
    assert shown["faults"] == [{"line": 3, "rule": "unreadable"}]
    assert (shown["rows"], shown["rejected"], shown["duplicates"]) == (4, 1, 1)
    assert shown["work_list"] == StatedListOut.of(stated).model_dump(mode="json")
    assert (shown["work_list"]["pace"], shown["work_list"]["fields"]) == (5, ["phone"])
    assert shown["work_list"]["digest"] == "ab" * 32
