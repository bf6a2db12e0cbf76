from dataclasses import replace

import msgspec
import pytest

from detectors.explanations import (
    FORGOTTEN,
    REASON,
    STRENGTH,
    WRAP_UP,
    CaseBook,
    Explanation,
)
from guard.clock import DAY, HOUR
from policies.model import Link
from tests.unit.detectors.making import (
    NINE,
    make_assignment,
    make_case,
    make_event,
    make_late_link,
)


def test_every_link_has_a_strength_and_a_reason() -> None:
    assert set(STRENGTH) == set(REASON) == set(Link)
    assert all(0.0 <= s <= 1.0 for s in STRENGTH.values())


@pytest.mark.parametrize("link", [Link.OWNER, Link.TRANSFER, Link.QA, Link.CAMPAIGN, Link.RELATED])
def test_strong_links_explain(link: Link) -> None:
    assert Explanation(link).is_explained


@pytest.mark.parametrize("link", [Link.NONE, Link.PENDING, Link.STALE, Link.SELF_OPENED])
def test_weak_links_do_not_explain(link: Link) -> None:
    assert not Explanation(link).is_explained


def test_a_recorded_link_is_taken_as_it_is() -> None:
    assert CaseBook().explain(make_event(link=Link.CAMPAIGN)).link is Link.CAMPAIGN


@pytest.mark.parametrize(
    ("how", "link"),
    [
        ("inbound", Link.OWNER),
        ("transfer", Link.TRANSFER),
        ("escalation", Link.ESCALATION),
        ("qa", Link.QA),
        ("self", Link.SELF_OPENED),
    ],
)
def test_an_assignment_explains_where_nothing_was_recorded(how: str, link: Link) -> None:
    book = CaseBook()
    book.on_case(make_case())
    book.on_assignment(make_assignment(how=how))
    assert book.explain(make_event(ts=NINE + 1)).link is link


def test_another_agents_case_explains_nothing() -> None:
    book = CaseBook()
    book.on_case(make_case())
    book.on_assignment(make_assignment())
    assert book.explain(replace(make_event(), agent_id="bob")).link is Link.NONE


def test_a_closed_case_goes_stale_after_wrapping_up() -> None:
    book = CaseBook()
    book.on_case(make_case())
    book.on_assignment(make_assignment())
    book.on_case(make_case(ts=NINE + HOUR, is_open=False))
    assert book.explain(make_event(ts=NINE + HOUR + WRAP_UP)).link is Link.OWNER
    assert book.explain(make_event(ts=NINE + HOUR + WRAP_UP + 1)).link is Link.STALE


def test_an_ended_assignment_goes_stale_too() -> None:
    book = CaseBook()
    book.on_assignment(make_assignment())
    book.on_assignment(make_assignment(ts=NINE + 1, is_start=False))
    assert book.explain(make_event(ts=NINE + WRAP_UP + 2)).link is Link.STALE


def test_the_end_of_another_case_ends_nothing() -> None:
    book = CaseBook()
    book.on_assignment(make_assignment())
    book.on_assignment(make_assignment("k2", ts=NINE + 1, is_start=False))
    assert book.explain(make_event(ts=NINE + DAY)).link is Link.OWNER


def test_a_self_opened_case_is_an_alibi_whatever_the_log_calls_it() -> None:
    book = CaseBook()
    book.on_case(make_case(opened_by="ann"))
    event = replace(make_event(link=Link.OWNER), case_id="k1")
    assert book.explain(event) == Explanation(Link.SELF_OPENED, "ann")


def test_reopening_does_not_change_who_opened_a_case() -> None:
    book = CaseBook()
    book.on_case(make_case(opened_by="ann"))
    book.on_case(make_case(opened_by=None))
    assert book.opened_by("k1") == "ann"


def test_only_cases_of_others_may_retract_evidence() -> None:
    book = CaseBook()
    book.on_case(make_case("mine", opened_by="ann"))
    book.on_case(make_case("theirs"))
    assert book.may_retract(make_assignment("theirs"))
    assert not book.may_retract(make_assignment("mine"))
    assert not book.may_retract(make_assignment("theirs", how="self"))
    assert not book.may_retract(make_assignment("theirs", is_start=False))


def test_where_the_broker_named_the_views_the_assignment_retracts_nothing() -> None:
    assert not CaseBook().may_retract(replace(make_assignment(), late_links=0))
    assert CaseBook().may_retract(make_assignment())


def test_a_late_link_repairs_unless_the_agent_opened_the_case() -> None:
    book = CaseBook()
    assert book.may_repair(make_late_link(7))
    assert not book.may_repair(make_late_link(7, opened_by="ann"))
    assert not book.may_repair(make_late_link(7, link=Link.STALE))
    book.on_case(make_case(opened_by="ann"))
    assert not book.may_repair(make_late_link(7))


def test_a_review_outlives_the_close_of_its_case_and_ends_as_planned() -> None:
    book = CaseBook()
    book.on_case(make_case())
    planned = replace(make_assignment(how="qa"), until=NINE + DAY)
    book.on_assignment(planned)
    book.on_case(make_case(ts=NINE + 1, is_open=False))
    assert book.explain(make_event(ts=NINE + DAY + WRAP_UP)).link is Link.QA
    assert book.explain(make_event(ts=NINE + DAY + WRAP_UP + 1)).link is Link.STALE


def test_who_was_asked_in_is_explained_as_by_a_transfer() -> None:
    book = CaseBook()
    book.on_assignment(make_assignment(how="consult"))
    assert book.explain(make_event(ts=NINE + 1)).link is Link.TRANSFER


def test_old_cases_and_holds_are_forgotten_and_open_ones_kept() -> None:
    book = CaseBook()
    for case_id, customer in (("old", "c1"), ("open", "c2")):
        book.on_case(make_case(case_id, customer=customer))
        book.on_assignment(make_assignment(case_id, customer=customer))
    book.on_case(make_case("old", customer="c1", is_open=False))
    book.forget(NINE + FORGOTTEN)
    assert set(book.cases) == {"open"}
    assert set(book.holds) == {"c2"}


def test_closing_an_unknown_case_is_noted() -> None:
    book = CaseBook()
    book.on_case(make_case(is_open=False))
    assert book.cases["k1"].closed_at == NINE


def test_the_sentence_names_the_reason() -> None:
    assert Explanation(Link.NONE).sentence == "nothing links agent and customer"


def test_a_book_survives_storage() -> None:
    book = CaseBook()
    book.on_case(make_case())
    book.on_assignment(make_assignment())
    stored = msgspec.msgpack.encode(book)
    assert msgspec.msgpack.decode(stored, type=CaseBook) == book
