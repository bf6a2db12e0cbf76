import dataclasses
from typing import Any

import pytest

from guard.clock import DAY
from guard.purposes.explanation import (
    GRACE,
    STALE_FOR,
    WRAP_UP,
    Ground,
    explain,
    explain_row,
    worth,
)
from guard.purposes.hand_overs import WARM_OVERLAP
from guard.rows import (
    AssignmentRow,
    CaseRow,
    GrantKind,
    GrantRow,
    KnownCase,
    Situation,
    SubjectRow,
    WorkListRow,
)
from policies.model import Link, Mode, Purpose, Risk, Tier

NOW = 30 * DAY
US = frozenset({"a1"})
SUBJECT = SubjectRow(
    ref="c1",
    tenant="t",
    region="eu",
    source="crm",
    key_blind=b"b",
    sealed_key=b"s",
    bucket="b",
    wrapped_key=b"w",
    next_n=0,
    tier=Tier.STANDARD,
    is_decoy=False,
)


def case(**more: object) -> CaseRow:
    values: dict[str, object] = {
        "id": "k1",
        "tenant": "t",
        "ref": "c1",
        "channel": "phone",
        "opened_at": 0,
        "opened_by": None,
        "closed_at": None,
    }
    return CaseRow(**(values | more))  # type: ignore[arg-type] # values are checked by the fields


def assigned(how: str, agent: str = "a1", start: int = 0, end: int | None = None) -> AssignmentRow:
    return AssignmentRow(
        case_id="k1", tenant="t", agent_id=agent, how=how, from_at=start, to_at=end
    )


def situation(
    case_row: CaseRow | None = None,
    assignments: tuple[AssignmentRow, ...] = (),
    *,
    own_open: tuple[str, ...] = (),
    work_list: WorkListRow | None = None,
    subject: SubjectRow | None = SUBJECT,
) -> Situation:
    return Situation(
        subject=subject,
        case=case_row,
        assignments=assignments,
        own_open_cases=own_open,
        work_list=work_list,
        risk=Risk.NONE,
        is_suspended=False,
        mode=Mode.ENFORCE,
    )


def link(found: Situation, purpose: Purpose = Purpose.SUPPORT_CASE, case_id: str = "k1") -> Link:
    return explain(found, purpose, US, case_id, NOW).link


def test_a_live_assignment_explains_by_how_the_case_came() -> None:
    for how, expected in (
        ("inbound", Link.OWNER),
        ("escalation", Link.ESCALATION),
        ("transfer", Link.TRANSFER),
        ("qa", Link.QA),
        ("self", Link.TAKEN),
        ("made-up", Link.NONE),
    ):
        found = situation(case(), (assigned(how),))
        assert link(found) is (expected if expected is not Link.NONE else Link.STALE)


def test_a_case_that_the_agent_opened_is_no_alibi_however_it_was_assigned() -> None:
    assert link(situation(case(opened_by="a1"), (assigned("inbound"),))) is Link.SELF_OPENED


def test_the_strongest_of_several_assignments_counts() -> None:
    rows = (assigned("transfer"), assigned("inbound"), assigned("qa"))
    assert link(situation(case(), rows)) is Link.OWNER


def test_writing_up_after_the_end_is_explained_and_later_is_stale() -> None:
    just = assigned("inbound", end=NOW - WRAP_UP + 1)
    late = assigned("inbound", end=NOW - WRAP_UP)
    assert link(situation(case(), (just,))) is Link.OWNER
    assert link(situation(case(), (late,))) is Link.STALE
    assert link(situation(case(closed_at=NOW - WRAP_UP), (assigned("inbound"),))) is Link.STALE


def test_an_assignment_of_tomorrow_explains_nothing() -> None:
    assert link(situation(case(), (assigned("inbound", start=NOW + 1),))) is Link.NONE


def test_somebody_elses_case_explains_nothing() -> None:
    assert link(situation(case(), (assigned("inbound", agent="a2"),))) is Link.NONE


def test_a_case_of_another_customer_explains_nothing() -> None:
    assert link(situation(case(ref="c2"), (assigned("inbound"),))) is Link.NONE


def test_an_open_case_of_ones_own_that_was_not_named_makes_a_view_related() -> None:
    found = situation(None, own_open=("k9",))
    assert link(found) is Link.RELATED
    assert link(situation(case(), (assigned("inbound", agent="a2"),), own_open=("k9",))) is (
        Link.RELATED
    )


def test_a_case_that_has_not_arrived_yet_is_pending_and_none_named_is_none() -> None:
    assert link(situation()) is Link.PENDING


def test_only_a_sampled_case_explains_a_quality_review() -> None:
    assert link(situation(case(), (assigned("qa"),)), Purpose.QUALITY_REVIEW) is Link.QA
    assert link(situation(case(), (assigned("inbound"),)), Purpose.QUALITY_REVIEW) is Link.NONE


def test_only_a_list_with_the_customer_on_it_explains_outreach() -> None:
    row = WorkListRow(
        id="w",
        tenant="t",
        team="o",
        campaign="c",
        purpose=Purpose.OUTREACH,
        starts_at=0,
        ends_at=NOW,
        proposed_by="p",
        approved_by="q",
        size=1,
        lapses_at=NOW,
    )
    assert link(situation(work_list=row), Purpose.OUTREACH) is Link.CAMPAIGN
    assert link(situation(case(), (assigned("inbound"),)), Purpose.OUTREACH) is Link.NONE


def test_nothing_links_to_an_unknown_customer_or_an_investigation() -> None:
    assert link(situation(case(), (assigned("inbound"),), subject=None)) is Link.NONE
    assert link(situation(case(), (assigned("inbound"),)), Purpose.INVESTIGATION) is Link.NONE


def known(case_row: CaseRow, *assignments: AssignmentRow) -> KnownCase:
    return KnownCase(case=case_row, assignments=assignments)


def unnamed(*cases: KnownCase, purpose: Purpose = Purpose.SUPPORT_CASE, **more: Any) -> Ground:  # noqa: ANN401 - any field
    found = dataclasses.replace(situation(), own_cases=cases, **more)
    return explain(found, purpose, US, None, NOW)


def at_case(case_id: str, row: AssignmentRow) -> AssignmentRow:
    return dataclasses.replace(row, case_id=case_id)


@pytest.mark.parametrize("how", ["inbound", "transfer", "escalation", "consult", "self"])
def test_without_a_name_the_view_is_bound_with_the_grade_that_naming_gives(how: str) -> None:
    one = known(case(), assigned(how))
    named = explain(situation(one.case, one.assignments), Purpose.SUPPORT_CASE, US, "k1", NOW)
    assert unnamed(one) == named == Ground(named.link, "k1")


def test_of_several_own_cases_the_strongest_and_then_the_newest_is_bound() -> None:
    rows = [
        known(case(id="old"), at_case("old", assigned("inbound"))),
        known(case(id="new", opened_at=5), at_case("new", assigned("inbound"))),
        known(case(id="weak", opened_at=9), at_case("weak", assigned("transfer"))),
    ]
    assert unnamed(*rows) == Ground(Link.OWNER, "new")


def test_a_closed_case_of_ones_own_is_a_stale_reason_for_some_days() -> None:
    def closed(at: int) -> KnownCase:
        return known(case(closed_at=at), assigned("inbound", start=at - 1))

    assert unnamed(closed(NOW - WRAP_UP)) == Ground(Link.STALE, "k1")
    assert unnamed(closed(NOW - STALE_FOR)).link is Link.PENDING
    row = closed(NOW - STALE_FOR)
    assert link(situation(row.case, row.assignments)) is Link.STALE


def test_a_case_that_ones_own_hands_opened_is_no_alibi_unnamed_either() -> None:
    assert unnamed(known(case(opened_by="a1"), assigned("inbound"))).link is Link.SELF_OPENED


def test_the_case_of_a_relative_makes_a_view_related_and_a_stale_reason_less() -> None:
    stale = known(case(closed_at=NOW - WRAP_UP), assigned("inbound"))
    assert unnamed(related_cases=("r1",)) == Ground(Link.RELATED, "r1")
    assert unnamed(stale, related_cases=("r1",)) == Ground(Link.RELATED, "r1")
    other = dataclasses.replace(situation(case(ref="c2")), related_cases=("k1", "r1"))
    assert explain(other, Purpose.SUPPORT_CASE, US, "k1", NOW) == Ground(Link.RELATED, "k1")


def test_a_named_case_of_somebody_else_is_graded_as_what_it_is() -> None:
    assert link(situation(case(), (assigned("inbound", agent="a2"),))) is Link.NONE


@pytest.mark.parametrize("named", [None, "k9"])
def test_a_late_case_has_a_grace_and_then_none(named: str | None) -> None:
    def graded(first: int | None) -> Link:
        found = dataclasses.replace(situation(), unlinked_since=first)
        return explain(found, Purpose.SUPPORT_CASE, US, named, NOW).link

    assert [graded(f) for f in (None, NOW - GRACE + 1, NOW - GRACE)] == [
        Link.PENDING,
        Link.PENDING,
        Link.NONE,
    ]


def test_a_hand_over_ends_the_senders_right_after_a_short_overlap() -> None:
    for how in ("transfer", "escalation"):
        for ago, expected in ((WARM_OVERLAP - 1, Link.OWNER), (WARM_OVERLAP, Link.STALE)):
            taken = assigned(how, agent="a2", start=NOW - ago)
            assert link(situation(case(), (assigned("inbound"), taken))) is expected


def test_a_sender_whom_the_feed_leaves_on_the_line_stays_until_its_end() -> None:
    taken = assigned("transfer", agent="a2", start=NOW - 2 * WARM_OVERLAP)
    both = (assigned("inbound", end=NOW), taken)
    assert link(situation(case(), both)) is Link.OWNER


def test_who_ended_before_the_hand_over_still_writes_up() -> None:
    taken = assigned("transfer", agent="a2", start=NOW - 1)
    mine = assigned("inbound", end=NOW - 2 * WARM_OVERLAP)
    assert link(situation(case(), (mine, taken))) is Link.OWNER


def test_the_receiver_is_explained_and_who_is_asked_in_ends_nobodys_right() -> None:
    us = assigned("transfer", start=5)
    assert link(situation(case(), (assigned("inbound", agent="a2"), us))) is Link.TRANSFER
    asked = assigned("consult", agent="a2", start=5)
    assert link(situation(case(), (assigned("inbound"), asked))) is Link.OWNER


def test_a_review_is_of_a_closed_case_and_ends_by_itself() -> None:
    closed = case(closed_at=1)
    for end, expected in ((None, Link.QA), (NOW + 1, Link.QA), (NOW, Link.NONE)):
        one = known(closed, assigned("qa", end=end))
        assert unnamed(one, purpose=Purpose.QUALITY_REVIEW).link is expected


@pytest.mark.parametrize(
    ("purpose", "channel", "how", "expected"),
    [
        (Purpose.FRAUD_REVIEW, "fraud", "inbound", Link.QUEUE),
        (Purpose.FRAUD_REVIEW, "phone", "queue", Link.NONE),
        (Purpose.ONBOARDING, "email", "queue", Link.NONE),
        (Purpose.FRAUD_REVIEW, "fraud_review", "queue", Link.QUEUE),
        (Purpose.FRAUD_REVIEW, "phone", "inbound", Link.NONE),
        (Purpose.FRAUD_REVIEW, "fraud", "self", Link.NONE),
        (Purpose.FRAUD_REVIEW, "kyc", "queue", Link.NONE),
        (Purpose.ONBOARDING, "kyc", "queue", Link.QUEUE),
        (Purpose.ONBOARDING, "onboarding", "transfer", Link.QUEUE),
    ],
)
def test_a_queue_explains_the_work_on_its_own_cases(
    purpose: Purpose, channel: str, how: str, expected: Link
) -> None:
    assert unnamed(known(case(channel=channel), assigned(how)), purpose=purpose).link is expected
    other = known(case(channel=channel), assigned(how, agent="a2"))
    assert unnamed(other, purpose=purpose).link is Link.NONE
    own = known(case(channel=channel, opened_by="a1"), assigned(how))
    assert unnamed(own, purpose=purpose).link is Link.NONE


def test_an_ai_session_is_bound_to_a_case_of_the_agent_or_its_human_and_to_nothing_else() -> None:
    for agent in ("a1", "bot"):
        one = dataclasses.replace(
            situation(), own_cases=(known(case(), assigned("inbound", agent=agent)),)
        )
        people = frozenset({"a1", "bot"})
        assert explain(one, Purpose.AI_SESSION, people, None, NOW) == Ground(Link.OWNER, "k1")
    for weak in ({"related_cases": ("r1",)}, {"own_open_cases": ("k2",)}, {}):
        assert unnamed(purpose=Purpose.AI_SESSION, **weak).link is Link.NONE
    assert unnamed(known(case(), assigned("qa")), purpose=Purpose.AI_SESSION).link is Link.NONE


@pytest.mark.parametrize(
    ("case_id", "since", "expected"),
    [
        ("k9", None, Link.PENDING),
        ("k9", NOW - GRACE, Link.NONE),
        (None, None, Link.NONE),
    ],
)
def test_a_session_that_is_named_may_arrive_late(
    case_id: str | None, since: int | None, expected: Link
) -> None:
    one = dataclasses.replace(situation(), unlinked_since=since)
    assert explain(one, Purpose.AI_SESSION, US, case_id, NOW).link is expected


def test_a_broken_glass_explains_its_own_purpose_only() -> None:
    grant = GrantRow(
        id="g",
        tenant="t",
        kind=GrantKind.BREAK_GLASS,
        agent_id="a1",
        ref="c1",
        reason_code="outage",
        starts_at=0,
        ends_at=NOW + 1,
    )
    assert unnamed(purpose=Purpose.BREAK_GLASS, grants=(grant,)).link is Link.BREAK_GLASS
    assert unnamed(purpose=Purpose.BREAK_GLASS).link is Link.NONE
    assert unnamed(purpose=Purpose.INVESTIGATION, grants=(grant,)).link is Link.NONE


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("inbound", Link.CLAIMED),
        ("transfer", Link.CLAIMED),
        ("queue", Link.CLAIMED),
        ("self", Link.SELF_OPENED),
        ("qa", Link.QA),
    ],
)
def test_a_ticket_that_names_its_customer_by_an_address_is_weaker_until_checked(
    how: str, expected: Link
) -> None:
    assert link(situation(case(found_by="email"), (assigned(how),))) is expected
    assert worth(how, case(found_by="email")) is expected
    assert worth(how, case()) is not Link.CLAIMED


def test_fraud_work_on_a_ticket_of_its_own_queue_is_explained_whoever_wrote_it() -> None:
    one = known(case(channel="fraud", found_by="email"), assigned("queue"))
    assert unnamed(one, purpose=Purpose.FRAUD_REVIEW).link is Link.QUEUE


def row(found: Situation, purpose: Purpose = Purpose.SUPPORT_CASE) -> Ground:
    return explain_row(found, purpose, US, NOW)


def test_a_row_of_a_queue_rests_on_an_open_case_and_waits_for_none() -> None:
    mine = dataclasses.replace(situation(), own_cases=(known(case(), assigned("inbound")),))
    over = known(case(closed_at=NOW - WRAP_UP), assigned("inbound", start=1))
    stale = dataclasses.replace(situation(), own_cases=(over,))
    assert row(mine) == Ground(Link.OWNER, "k1")
    assert row(situation()) == Ground(Link.NONE)
    assert row(stale) == Ground(Link.STALE, "k1")
    for found in (situation(), stale):
        assert row(dataclasses.replace(found, has_open_case=True)) == Ground(Link.WAITING)


def test_an_open_case_of_somebody_else_explains_no_row_of_another_purpose() -> None:
    found = dataclasses.replace(situation(), has_open_case=True)
    assert row(found, Purpose.INVESTIGATION).link is Link.NONE
