from dataclasses import replace

import pytest

from detectors import cusum, narrative
from detectors.outliers import Outlier
from detectors.rings import Ring
from detectors.state import EVIDENCE_KEPT, AgentState, Clocks, DayLog, Proof, Today
from guard.findings import FindingKind, Severity
from tests.unit.detectors.making import NINE, make_event, make_profile

LINE = 6.9


def _state(*, proofs: int = 24) -> AgentState:
    state = AgentState(
        profile=make_profile(), today=Today(day=1, looks=31, started=NINE), clocks=Clocks()
    )
    cusum.start(state)
    state.normal = state.peers = [0.039] * cusum.N
    state.today.hits[0] = 24
    state.proofs = [
        Proof(ts=NINE + i, position=100 + i, customer="c", mask=1, day=1, gains=[])
        for i in range(proofs)
    ]
    return state


@pytest.mark.parametrize(
    ("score", "severity"),
    [(7.0, Severity.MEDIUM), (10.4, Severity.HIGH), (17.5, Severity.CRITICAL)],
)
def test_severity_follows_the_score(score: float, severity: Severity) -> None:
    assert narrative.severity(score, LINE) is severity


def test_an_agents_finding_says_what_was_counted_and_what_colleagues_have() -> None:
    finding = narrative.agent_finding(_state(), NINE + 99, 9.0, LINE, {0: 1.0})
    assert finding.key == "agent:ann"
    (reason,) = finding.reasons
    assert reason.startswith("24 of this agent's 31 views today have no case, call or list behind")
    assert reason.endswith("them; colleagues in the same role have 1.2 of 31")
    assert finding.evidence == tuple(range(100, 124))
    assert finding.first_event_at == NINE
    assert not finding.is_hard


def test_past_days_are_told_as_well() -> None:
    state = _state()
    state.days = [DayLog(d, 40, 0, 0, [8, *[0] * (cusum.N - 1)], 1.0) for d in range(3)]
    finding = narrative.agent_finding(state, NINE, 9.0, LINE, {0: 1.0})
    assert "24 of the 120 views on the last 3 working days" in finding.reasons[1]


def test_contributions_sum_to_one_and_leave_out_the_noise() -> None:
    finding = narrative.agent_finding(_state(), NINE, 9.0, LINE, {0: 0.6, 1: 0.38, 2: 0.02})
    assert finding.channels == ("unexplained", "hot_unexplained")
    assert sum(share for _, share in finding.contributions) == pytest.approx(1.0)
    assert len(finding.explained_by) == 2


def test_evidence_is_bounded_and_keeps_the_newest() -> None:
    finding = narrative.agent_finding(_state(proofs=900), NINE, 9.0, LINE, {0: 1.0})
    assert len(finding.evidence) == EVIDENCE_KEPT
    assert finding.evidence[-1] == 999


def test_evidence_of_other_channels_is_left_out() -> None:
    state = _state()
    state.proofs[0].mask = 0b10
    finding = narrative.agent_finding(state, NINE, 9.0, LINE, {0: 1.0})
    assert 100 not in finding.evidence


RING = Ring(
    key="line:lea",
    hub="lea",
    members=("ann", "bob"),
    size=12,
    statistic=9.0,
    together=8.0,
    sharing=2.0,
    shared=4,
    expected_shared=0.3,
)


def test_one_finding_names_all_members_and_the_hub() -> None:
    members = {"ann": _state(), "bob": _state(proofs=3)}
    finding = narrative.ring_finding(RING, members, NINE, 8.0, LINE)
    assert finding.kind is FindingKind.RING
    assert finding.agent_ids == ("ann", "bob", "lea")
    assert finding.key == "ring:line:lea"
    assert "2 of 12 agents under lea" in finding.reasons[0]
    assert "ann 24, bob 3" in finding.reasons[1]
    assert "share 4 customers" in finding.reasons[2]
    assert dict(finding.contributions) == pytest.approx({"members": 0.8, "shared_customers": 0.2})
    assert len(finding.evidence) == 27


def test_a_ring_that_shares_nothing_says_nothing_of_sharing() -> None:
    ring = replace(RING, shared=0, sharing=0.0)
    finding = narrative.ring_finding(ring, {"ann": _state(), "bob": _state()}, NINE, 8.0, LINE)
    assert finding.channels == ("members",)
    assert len(finding.reasons) == 2


def test_an_outlier_is_low_and_names_its_dimensions() -> None:
    outlier = Outlier(7.5, (("stale", 3.0), ("pace", 1.0), ("volume", 0.0)))
    finding = narrative.outlier_finding(_state(), NINE, outlier)
    assert (finding.kind, finding.severity) == (FindingKind.OUTLIER, Severity.LOW)
    assert "share of views on closed cases" in finding.reasons[0]
    assert sum(share for _, share in finding.contributions) == pytest.approx(1.0)


def test_a_decoy_is_hard_evidence() -> None:
    finding = narrative.decoy_finding(make_event(position=7), 17.0)
    assert finding.is_hard
    assert (finding.kind, finding.evidence) == (FindingKind.DECOY, (7,))
