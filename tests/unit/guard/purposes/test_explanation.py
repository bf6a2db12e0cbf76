from guard.clock import MINUTE
from guard.purposes.explanation import WRAP_UP, explain
from guard.rows import AssignmentRow, CaseRow, Situation, SubjectRow, WorkListRow
from policies.model import Link, Mode, Purpose, Risk, Tier

NOW = 1_000 * MINUTE
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
        ("self", Link.SELF_OPENED),
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
    )
    assert link(situation(work_list=row), Purpose.OUTREACH) is Link.CAMPAIGN
    assert link(situation(case(), (assigned("inbound"),)), Purpose.OUTREACH) is Link.NONE


def test_nothing_links_to_an_unknown_customer_or_an_investigation() -> None:
    assert link(situation(case(), (assigned("inbound"),), subject=None)) is Link.NONE
    assert link(situation(case(), (assigned("inbound"),)), Purpose.INVESTIGATION) is Link.NONE
