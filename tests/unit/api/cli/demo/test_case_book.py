from typing import Any

import pytest

from api.cli.demo.case_book import HOWS, CaseBook
from api.schemas.cases import BatchedCaseBody
from detectors.floor_actions import Assigned, CaseClosed, CaseOpened, Transferred, View
from guard.clock import to_rfc3339
from policies.model import Link, Purpose
from tests.support.makers import NOON

OPENED = CaseOpened(at=NOON, case_id="k1", customer=7, channel="chat", opened_by="a1")
GIVEN = Assigned(at=NOON + 1, case_id="k1", customer=7, agent_id="a1", how="inbound")
MOVED = Transferred(at=NOON + 2, case_id="k1", customer=7, from_agent="a1", to_agent="a2")
CLOSED = CaseClosed(at=NOON + 3, case_id="k1", customer=7)
LATER = NOON + 1_000


@pytest.fixture
def book() -> CaseBook:
    return CaseBook({7: "ref-7"})


def assignments(book: CaseBook) -> dict[str, Any]:
    listed: Any = book.body("k1")["assignments"]
    return {given["agent"]: given for given in listed}


def test_a_case_begins_as_it_was_planned(book: CaseBook) -> None:
    assert book.note(OPENED, LATER) == "k1"
    assert book.body("k1") == {
        "id": "k1",
        "customer": "ref-7",
        "channel": "chat",
        "opened_at": to_rfc3339(NOON),
        "opened_by": "a1",
        "closed_at": None,
        "assignments": [],
    }


def test_what_is_told_early_began_when_it_was_told(book: CaseBook) -> None:
    book.note(OPENED, NOON - 5)
    assert book.body("k1")["opened_at"] == to_rfc3339(NOON - 5)


def test_an_assignment_begins_as_it_was_planned_and_goes_on(book: CaseBook) -> None:
    book.note(OPENED, LATER)
    book.note(GIVEN, LATER)
    assert assignments(book)["a1"] == {
        "agent": "a1",
        "how": "inbound",
        "from": to_rfc3339(NOON + 1),
        "to": None,
    }


def test_being_given_a_case_twice_keeps_the_first_time(book: CaseBook) -> None:
    for how in ("self", "qa"):
        book.note(Assigned(at=NOON, case_id="k1", customer=7, agent_id="a1", how=how), LATER)
    assert assignments(book)["a1"]["how"] == "self"


def test_a_way_that_the_api_does_not_know_is_an_inbound_one(book: CaseBook) -> None:
    book.note(Assigned(at=NOON, case_id="k1", customer=7, agent_id="a1", how="dialler"), LATER)
    assert assignments(book)["a1"]["how"] == "inbound"


def test_a_transfer_ends_one_assignment_and_begins_another_when_it_is_told(book: CaseBook) -> None:
    for action in (OPENED, GIVEN, MOVED):
        book.note(action, LATER)
    told = to_rfc3339(LATER)
    given = assignments(book)
    assert given["a1"]["to"] == told
    assert (given["a2"]["how"], given["a2"]["from"], given["a2"]["to"]) == ("transfer", told, None)


def test_a_transfer_from_somebody_unknown_still_arrives(book: CaseBook) -> None:
    book.note(MOVED, LATER)
    assert assignments(book).keys() == {"a2"}


def test_a_case_is_closed_when_it_is_told(book: CaseBook) -> None:
    book.note(OPENED, LATER)
    book.note(CLOSED, LATER)
    assert book.body("k1")["closed_at"] == to_rfc3339(LATER)


def test_a_case_whose_opening_was_never_told_is_there_all_the_same(book: CaseBook) -> None:
    book.note(GIVEN, LATER)
    body = book.body("k1")
    assert (body["customer"], body["opened_at"]) == ("ref-7", to_rfc3339(GIVEN.at))


def test_a_view_changes_no_case(book: CaseBook) -> None:
    view = View(
        at=NOON,
        agent_id="a1",
        customer=7,
        case_id="k1",
        purpose=Purpose.SUPPORT_CASE,
        link=Link.OWNER,
    )
    with pytest.raises(TypeError):
        book.note(view, LATER)


def test_the_api_takes_what_the_book_says(book: CaseBook) -> None:
    for action in (OPENED, GIVEN, MOVED, CLOSED):
        book.note(action, LATER)
    put = BatchedCaseBody.model_validate(book.body("k1")).put("k1")
    assert (put.customer, put.closed_at, len(put.assignments)) == ("ref-7", LATER, 2)
    assert {given.how for given in put.assignments} <= HOWS
