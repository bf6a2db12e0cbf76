import pytest
from fastapi.exceptions import RequestValidationError

from api.schemas.history import (
    ActivityOut,
    DisputeBody,
    HistoryOut,
    HoldBackOut,
    OwnHistoryAnswer,
)
from api.schemas.parse import parse
from guard.entries import EntryKind
from guard.history import HistoryDocument, HistoryPage, HistoryRow, LookUp, OwnHistory
from guard.rows import ActivityRow, HoldBackRow

ROW = HistoryRow(
    entry="ab" * 16,
    at="2026-09-21T10:00:00.000000Z",
    act="contacted you",
    purpose="a support case",
    channel="mail",
    role="a support agent",
    clear=None,
)
ACTIVITY = ActivityRow(
    day=0, kind=EntryKind.LISTED, purpose="outreach", link="campaign", outcome="", count=2
)


def test_a_page_shows_the_rows_of_its_document_and_the_document() -> None:
    document = HistoryDocument(
        origin="o",
        size=1,
        root="00",
        customer="r1",
        as_of="2026-09-22T10:00:00.000000Z",
        statement="s",
        notice="n",
        complete=True,
        rows=(ROW,),
    )
    shown = HistoryOut.of(HistoryPage(document=document, note=b"kept\n", next=None), None)
    assert shown.rows[0].model_dump() == {
        "entry": "ab" * 16,
        "at": ROW.at,
        "act": "contacted you",
        "purpose": "a support case",
        "channel": "mail",
        "role": "a support agent",
        "clear": None,
    }
    assert (shown.document, shown.notice, shown.next) == ("kept\n", "n", None)


def test_ones_own_history_names_kinds_in_words() -> None:
    assert ActivityOut.of(ACTIVITY).act == "listed"
    mine = OwnHistory(
        since=0,
        until=1,
        as_of=1,
        activity=(ACTIVITY,),
        look_ups=(LookUp(at=1, role="an auditor"),),
        responses=(),
        retention="r",
        size=1,
        root="ab",
    )
    shown = OwnHistoryAnswer.of(mine).model_dump(mode="json")
    assert shown["since"] == "1970-01-01T00:00:00.000000Z"
    assert shown["look_ups"][0]["role"] == "an auditor"


def test_a_hold_back_says_whom_it_is_about() -> None:
    row = HoldBackRow(
        id="hbk-1",
        tenant="t",
        agent_id="a1",
        ref="r1",
        since=0,
        until=1,
        reason="x",
        proposed_by="ana",
        proposed_at=0,
        ends_at=2,
    )
    shown = HoldBackOut.model_validate(row).model_dump(mode="json")
    assert (shown["agent"], shown["customer"], shown["approved_at"]) == ("a1", "r1", None)


def test_a_dispute_names_a_row() -> None:
    assert parse(DisputeBody, b'{"entry": "ab"}').text is None
    with pytest.raises(RequestValidationError):
        parse(DisputeBody, b'{"text": "x"}')
