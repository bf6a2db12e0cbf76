import pytest

from guard.rows import ModeRow
from guard.store import SqlStore
from guard.store.situations import effective_mode
from policies.model import Mode, Risk
from tests.support.makers import (
    NOON,
    make_assignment,
    make_case,
    make_mode,
    make_query,
    make_response,
    make_work_list,
)
from tests.support.makers import make_subject as subject
from tests.support.statements import counted


def mode(rules: list[ModeRow]) -> Mode:
    return effective_mode(rules, vendor="vend", team="team-1", purpose="outreach")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], Mode.ENFORCE),
        ([make_mode(mode=Mode.MASK)], Mode.MASK),
        ([make_mode(team="team-2")], Mode.ENFORCE),
        ([make_mode(mode=Mode.ENFORCE), make_mode(vendor="vend")], Mode.OBSERVE),
        ([make_mode(team="team-1"), make_mode(vendor="vend", mode=Mode.MASK)], Mode.MASK),
        ([make_mode(team="team-1", purpose="outreach"), make_mode(mode=Mode.MASK)], Mode.OBSERVE),
        ([make_mode(mode=Mode.ENFORCE), make_mode(mode=Mode.OBSERVE)], Mode.OBSERVE),
    ],
)
def test_the_narrowest_then_strictest_then_newest_rule_wins(
    rules: list[ModeRow], expected: Mode
) -> None:
    assert mode(rules) is expected


def test_a_proposal_is_not_in_force(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.put_mode(make_mode(approved_by=None))
        assert rows.situations([make_query()])[0].mode is Mode.ENFORCE


def test_the_statements_do_not_grow_with_the_queries(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([subject(f"c{n}") for n in range(50)])
    with sqlite_store.read() as view:
        with counted() as one:
            view.situations([make_query()])
        with counted() as many:
            view.situations(
                [make_query(ref=f"c{n}", agent_id=f"a{n}", case_id=f"k{n}") for n in range(50)]
            )
    assert len(one) - 1 == len(many) == 11  # the first statement is the snapshot's BEGIN


def test_assignments_are_one_statement_more_and_an_own_case_spares_three(
    sqlite_store: SqlStore,
) -> None:
    with sqlite_store.begin() as rows:
        rows.add_subjects([subject(f"c{n}") for n in range(9)])
        for n in range(8):
            rows.put_case(make_case(f"k{n}", ref=f"c{n}"))
            rows.put_assignment(make_assignment(f"k{n}"))
    unnamed = [make_query(ref=f"c{n}", case_id=None) for n in range(8)]
    with sqlite_store.read() as view, counted() as own:
        found = view.situations(unnamed)
    with sqlite_store.read() as view, counted() as mixed:
        view.situations([*unnamed, make_query(ref="c8", case_id="k1")])
    assert [one.own_open_cases for one in found] == [(f"k{n}",) for n in range(8)]
    assert (len(own) - 1, len(mixed) - 1) == (8, 12)


def test_the_hardest_of_two_keys_counts(sqlite_store: SqlStore) -> None:
    keys = ("actor:acme/bot", "agent:acme/a1")
    with sqlite_store.begin() as rows:
        rows.put_response(make_response(key=keys[0]))
        (found,) = rows.situations([make_query(keys=keys)])
        (later,) = rows.situations([make_query(keys=keys, at=make_response().ends_at)])
    assert (found.is_suspended, found.risk) == (True, Risk.NONE)
    assert not later.is_suspended


def test_a_list_that_is_over_or_of_another_team_explains_nothing(sqlite_store: SqlStore) -> None:
    asked = make_query(purpose="outreach")
    with sqlite_store.begin() as rows:
        rows.add_subjects([subject()])
        rows.put_work_list(make_work_list("w1", ends_at=NOON), ["c1"])
        rows.put_work_list(make_work_list("w2", team="team-2"), ["c1"])
        rows.put_work_list(make_work_list("w3", approved_by=None), ["c1"])
        assert rows.situations([asked])[0].work_list is None
        rows.put_work_list(make_work_list("w4"), ["c1"])
        rows.put_work_list(make_work_list("w5", ends_at=NOON + 200), ["c1"])
        assert rows.situations([asked])[0].work_list == make_work_list("w5", ends_at=NOON + 200)
