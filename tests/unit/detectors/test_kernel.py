from dataclasses import replace

import numpy as np

from detectors import kernel as kernel_module
from detectors.explanations import LATE_LINK
from detectors.kernel import TELLINGS, Kernel, stratum
from detectors.outliers import FEATURES, FrozenEcod
from detectors.state import FloorState
from guard.clock import DAY, HOUR, MINUTE, Micros
from guard.events import AccessAction, AccessEvent, ReviewEvent
from guard.findings import Finding, FindingKind, Severity
from policies.model import Link
from tests.unit.detectors.making import (
    NINE,
    day_of_looks,
    make_assignment,
    make_case,
    make_event,
    make_late_link,
    make_profile,
)


def _kernel() -> Kernel:
    return Kernel(FloorState(), 1 / 1000)


def _feed(kernel: Kernel, events: list[AccessEvent]) -> list[Finding]:
    for event in events:
        kernel.take(event)
    out, kernel.out = kernel.out, []
    return out


def _sweep(n: int, *, start: Micros = NINE, agent_id: str = "ann") -> list[AccessEvent]:
    return [
        replace(
            make_event(ts=start + i * MINUTE, customer=f"{agent_id}{i * 7919 % 99991}", position=i),
            agent_id=agent_id,
        )
        for i in range(n)
    ]


def test_an_ordinary_day_says_nothing() -> None:
    assert _feed(_kernel(), day_of_looks(35, unexplained=1)) == []


def test_a_sweep_is_raised_early_and_told_a_bounded_number_of_times() -> None:
    findings = _feed(_kernel(), _sweep(400))
    assert findings[0].evidence[-1] < 15
    assert 2 <= len(findings) <= TELLINGS
    assert {f.key for f in findings} == {"agent:ann"}
    assert [f.score for f in findings] == sorted(f.score for f in findings)


def test_seeing_one_customer_again_counts_once() -> None:
    kernel = _kernel()
    _feed(kernel, [make_event(ts=NINE + i * MINUTE) for i in range(50)])
    assert kernel.floor.agents["ann"].today.looks == 1


def test_coming_back_to_a_customer_with_less_reason_counts_again() -> None:
    kernel = _kernel()
    _feed(kernel, [make_event(link=Link.OWNER), make_event(ts=NINE + HOUR, link=Link.STALE)])
    assert kernel.floor.agents["ann"].today.looks == 2


def test_failed_requests_are_no_looks_and_refused_ones_are() -> None:
    kernel = _kernel()
    failed, refused = (replace(make_event(), outcome=o) for o in ("failed", "refused"))
    _feed(kernel, [failed])
    assert kernel.floor.agents["ann"].today.looks == 0
    _feed(kernel, [refused])
    assert kernel.floor.agents["ann"].today.looks == 1


def test_searches_are_judged_apart_from_looks() -> None:
    kernel = _kernel()
    search = replace(make_event(), action=AccessAction.SEARCH, result_count=0)
    findings = _feed(kernel, [replace(search, ts=NINE + i * MINUTE) for i in range(60)])
    today = kernel.floor.agents["ann"].today
    assert (today.looks, today.searches) == (0, 60)
    assert findings[0].channels == ("search_miss",)


def test_probing_verifications_are_found_and_honest_ones_are_not() -> None:
    check = replace(make_event(link=Link.OWNER), action=AccessAction.VERIFY)

    def day(misses: int) -> list[AccessEvent]:
        return [
            replace(
                check,
                ts=NINE + i * MINUTE,
                customer_id=f"c{i}",
                result_count=0 if i % 20 < misses else 1,
            )
            for i in range(60)
        ]

    kernel = _kernel()
    assert _feed(kernel, day(1)) == []
    today = kernel.floor.agents["ann"].today
    assert (today.verifications, today.searches, today.looks) == (60, 0, 60)
    (finding, *_) = _feed(_kernel(), day(16))
    assert finding.channels == ("verify_miss",)
    assert "of this agent's" in finding.reasons[0]
    assert "verifications today are wrong" in finding.reasons[0]


def test_verifying_customers_without_a_reason_is_snooping() -> None:
    sweep = [replace(e, action=AccessAction.VERIFY) for e in _sweep(60)]
    findings = _feed(_kernel(), sweep)
    assert "unexplained" in findings[0].channels


def test_a_verified_customer_is_looked_at_once() -> None:
    kernel = _kernel()
    look = make_event(link=Link.OWNER)
    _feed(kernel, [replace(look, action=AccessAction.VERIFY), replace(look, ts=NINE + MINUTE)])
    today = kernel.floor.agents["ann"].today
    assert (today.verifications, today.looks) == (1, 1)


def test_a_late_link_takes_the_evidence_back() -> None:
    kernel = _kernel()
    _feed(kernel, _sweep(4))
    state = kernel.floor.agents["ann"]
    raised = state.today.score
    for i in range(4):
        customer = f"ann{i * 7919 % 99991}"
        kernel.take(make_case(f"k{i}", ts=NINE + HOUR, customer=customer))
        kernel.take(make_assignment(f"k{i}", ts=NINE + HOUR, customer=customer))
    assert state.proofs == []
    assert state.today.hits[0] == 0
    assert state.today.score < raised


def test_a_late_link_takes_back_the_one_view_that_it_names_and_once() -> None:
    kernel = _kernel()
    _feed(kernel, [replace(e, position=i) for i, e in enumerate(_sweep(3))])
    state = kernel.floor.agents["ann"]
    first = state.proofs[0]
    named = replace(make_assignment(ts=NINE + HOUR, customer=first.customer), late_links=1)
    kernel.take(named)
    assert len(state.proofs) == 3
    late = make_late_link(first.position, customer=first.customer)
    kernel.take(late)
    after = (list(state.proofs), list(state.today.hits), state.today.score)
    assert [proof.position for proof in state.proofs] == [1, 2]
    kernel.take(late)
    kernel.take(make_assignment(ts=NINE + HOUR, customer=first.customer))
    assert (state.proofs, state.today.hits, state.today.score) == after


def test_a_late_link_of_ones_own_case_takes_nothing_back() -> None:
    kernel = _kernel()
    _feed(kernel, _sweep(1))
    proof = kernel.floor.agents["ann"].proofs[0]
    own = make_late_link(proof.position, customer=proof.customer, opened_by="ann")
    kernel.take(own)
    assert kernel.floor.agents["ann"].proofs == [proof]


def test_a_link_after_a_day_is_too_late() -> None:
    kernel = _kernel()
    _feed(kernel, _sweep(1))
    kernel.take(make_assignment(ts=NINE + LATE_LINK + HOUR, customer="ann0"))
    assert len(kernel.floor.agents["ann"].proofs) == 1


def test_a_self_opened_case_takes_nothing_back() -> None:
    kernel = _kernel()
    _feed(kernel, _sweep(1))
    kernel.take(make_case(ts=NINE + HOUR, customer="ann0", opened_by="ann"))
    kernel.take(make_assignment(ts=NINE + HOUR, customer="ann0"))
    assert len(kernel.floor.agents["ann"].proofs) == 1


def test_an_explained_sweep_ends_the_matter() -> None:
    kernel = _kernel()
    assert _feed(kernel, _sweep(10))
    for i in range(10):
        customer = f"ann{i * 7919 % 99991}"
        kernel.take(make_assignment(f"k{i}", ts=NINE + HOUR, customer=customer))
    assert kernel.floor.agents["ann"].episode is None


def test_dismissing_an_alert_starts_over() -> None:
    kernel = _kernel()
    _feed(kernel, _sweep(20))
    review = ReviewEvent(position=0, ts=NINE + HOUR, agent_id="ann", by="eve", what="dismissed")
    kernel.take(review)
    state = kernel.floor.agents["ann"]
    assert (state.episode, state.proofs, state.today.score) == (None, [], 0.0)
    assert max(state.clocks.fast) == 0.0


def test_other_reviews_and_unknown_agents_change_nothing() -> None:
    kernel = _kernel()
    _feed(kernel, _sweep(20))
    for what, agent in (("confirmed", "ann"), ("dismissed", "nobody")):
        kernel.take(ReviewEvent(position=0, ts=NINE + HOUR, agent_id=agent, by="eve", what=what))
    assert kernel.floor.agents["ann"].episode is not None
    assert "nobody" not in kernel.floor.agents


def test_a_quiet_day_ends_a_matter_and_the_next_one_is_told_anew() -> None:
    kernel = _kernel()
    assert _feed(kernel, _sweep(10))
    for day in range(1, 5):
        _feed(kernel, day_of_looks(60, day=day, minutes=6))
    assert kernel.floor.agents["ann"].episode is None
    assert _feed(kernel, _sweep(12, start=NINE + 6 * DAY))


def test_a_rest_begins_a_new_working_day() -> None:
    kernel = _kernel()
    _feed(kernel, [*day_of_looks(10), *day_of_looks(10, day=1)])
    state = kernel.floor.agents["ann"]
    assert (len(state.days), state.today.looks) == (1, 10)


def test_when_links_are_down_for_all_nobody_is_raised() -> None:
    def run(crowd: int) -> list[Finding]:
        kernel = _kernel()
        agents = [f"a{i:02d}" for i in range(crowd)]
        events = [e for a in agents for e in _sweep(40, agent_id=a)]
        return _feed(kernel, sorted(events, key=lambda e: e.ts))

    assert len({f.key for f in run(kernel_module.WEATHER_CROWD - 1)}) >= 7
    weathered = {f.key for f in run(60)}
    assert not any(key.startswith("agent:") for key in weathered)


def test_a_decoy_is_raised_at_once_as_hard_evidence() -> None:
    (finding,) = _feed(_kernel(), [replace(make_event(link=Link.OWNER), is_decoy=True)])
    assert (finding.kind, finding.is_hard) == (FindingKind.DECOY, True)


def test_three_who_sweep_a_little_under_one_lead_are_one_ring() -> None:
    kernel = _kernel()
    for i in range(12):
        kernel.meet(make_profile(f"a{i:02d}"))
    bad = ("a01", "a02", "a03")
    events = [e for a in bad for e in _sweep(5, agent_id=a)]
    events += [e for i in range(12) for e in day_of_looks(30, agent_id=f"a{i:02d}")]
    findings = _feed(kernel, sorted(events, key=lambda e: e.ts))
    rings = [f for f in findings if f.kind is FindingKind.RING]
    assert len(rings) == 1
    assert rings[0].agent_ids == (*bad, "lea")


def test_the_second_opinion_speaks_when_the_day_is_over_and_stays_low() -> None:
    kernel = _kernel()
    kernel.model = FrozenEcod(
        knots=np.zeros((len(FEATURES), 257)), scores=np.linspace(0.0, 1.0, 1000), rows=1000
    )
    assert _feed(kernel, day_of_looks(20)) == []
    (finding,) = _feed(kernel, day_of_looks(1, day=1))
    assert (finding.kind, finding.severity) == (FindingKind.OUTLIER, Severity.LOW)


def test_days_of_a_dismissed_matter_no_longer_count_for_the_group() -> None:
    kernel = _kernel()
    _feed(kernel, [*_sweep(20), *day_of_looks(10, day=1)])
    assert kernel.floor.agents["ann"].days[0].score > kernel.threshold
    review = ReviewEvent(position=0, ts=NINE + 2 * DAY, agent_id="ann", by="eve", what="dismissed")
    kernel.take(review)
    assert kernel.floor.agents["ann"].days[0].score == 0.0


def test_a_profile_may_change_and_is_kept() -> None:
    kernel = _kernel()
    kernel.meet(make_profile())
    kernel.meet(make_profile(team="t2"))
    assert kernel.floor.agents["ann"].profile.team == "t2"


def test_evidence_kept_is_bounded() -> None:
    kernel = _kernel()
    _feed(kernel, [replace(e, ts=NINE + i * 1000) for i, e in enumerate(_sweep(1500))])
    assert len(kernel.floor.agents["ann"].proofs) <= 1000


def test_a_stratum_is_kind_and_role() -> None:
    assert stratum(make_profile()) == "human/agent"


def _rows(events: list[AccessEvent]) -> list[AccessEvent]:
    return [replace(event, action=AccessAction.LIST) for event in events]


def test_paging_through_customers_without_cases_is_noticed_like_viewing_them() -> None:
    viewed, listed = _feed(_kernel(), _sweep(40)), _feed(_kernel(), _rows(_sweep(40)))
    assert listed
    assert listed[0].evidence[-1] < 20
    assert listed[0].key == viewed[0].key
    page = [replace(event, ts=NINE) for event in _rows(_sweep(40))]
    assert _feed(_kernel(), page)


def test_a_queue_that_rests_on_cases_is_no_look_and_dilutes_nothing() -> None:
    kernel = _kernel()
    waiting = [replace(event, link=Link.WAITING) for event in _rows(_sweep(200))]
    assert _feed(kernel, waiting) == []
    assert kernel.floor.agents["ann"].today.looks == 0


def test_a_row_counts_once_a_day_and_never_after_a_view_of_it() -> None:
    kernel = _kernel()
    (one,) = _sweep(1)
    _feed(kernel, [*_rows([one]), *_rows([one])])
    assert kernel.floor.agents["ann"].today.looks == 1
    other = _kernel()
    _feed(other, [one, *_rows([one])])
    assert other.floor.agents["ann"].today.looks == 1


def test_a_row_takes_no_part_in_the_beat_of_views() -> None:
    kernel = _kernel()
    first, second, third = _sweep(3)
    _feed(kernel, [first, *_rows([second]), third])
    assert kernel.floor.agents["ann"].today.gaps == 1


def test_a_late_case_takes_back_what_a_row_weighed() -> None:
    kernel = _kernel()
    (one,) = _rows(_sweep(1))
    _feed(kernel, [one])
    assert kernel.floor.agents["ann"].proofs
    kernel.take(make_late_link(one.position, ts=one.ts + 1, customer=one.customer_id))
    assert not kernel.floor.agents["ann"].proofs
