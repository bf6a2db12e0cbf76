from guard.purposes.hand_overs import handed_at, released, with_ends
from guard.rows import AssignmentRow


def held(agent: str, how: str, start: int, end: int | None = None) -> AssignmentRow:
    return AssignmentRow(case_id="k", tenant="t", agent_id=agent, how=how, from_at=start, to_at=end)


def ends(*rows: AssignmentRow) -> list[int | None]:
    return [row.to_at for row in with_ends(rows)]


def test_a_transfer_ends_every_other_hold_that_the_feed_left_open() -> None:
    assert ends(held("a", "inbound", 1), held("b", "transfer", 5)) == [5, None]
    assert ends(held("a", "self", 1), held("b", "escalation", 5)) == [5, None]


def test_an_end_that_was_reported_stays() -> None:
    assert ends(held("a", "inbound", 1, 9), held("b", "transfer", 5)) == [9, None]


def test_reviews_and_those_asked_in_are_not_ended_by_a_hand_over() -> None:
    assert ends(held("q", "qa", 1), held("c", "consult", 2), held("b", "transfer", 5)) == [
        None,
        None,
        None,
    ]
    assert ends(held("a", "inbound", 1), held("c", "consult", 2)) == [None, None]


def test_a_case_that_comes_back_is_held_again() -> None:
    rows = (held("a", "inbound", 1), held("b", "transfer", 5), held("a", "transfer", 8))
    assert ends(*rows) == [5, 8, None]
    assert with_ends(with_ends(rows)) == with_ends(rows)


def test_within_one_second_the_first_holder_is_the_sender() -> None:
    assert ends(held("a", "inbound", 5), held("b", "transfer", 5)) == [5, None]
    assert ends(held("a", "transfer", 5), held("b", "transfer", 5)) == [None, None]


def test_nobody_takes_over_from_themselves() -> None:
    assert handed_at(held("a", "inbound", 1), [held("a", "transfer", 5)]) is None


def test_what_a_system_took_back_is_nobodys() -> None:
    rows = [
        held("a", "inbound", 1),
        held("b", "consult", 2),
        held("c", "transfer", 3, 4),
        held("d", "queue", 6),
    ]
    known = {(row.agent_id, row.from_at): row for row in rows}
    assert [row.to_at for row in released(known, 5).values()] == [5, None, 4, None]
    assert released(known, None) == known
