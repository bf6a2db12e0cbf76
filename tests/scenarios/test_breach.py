"""The breach, replayed: a photographer, a small daily habit, and a ring under one lead."""

import pytest

from detectors.floor import Habit
from guard.clock import DAY, HOUR
from guard.events import AccessEvent
from guard.findings import FindingKind
from tests.scenarios.conftest import RING_LEAD, Replay

Insiders = dict[Habit, tuple[str, ...]]


def test_a_photographer_is_found_within_forty_records_and_the_first_shift(
    breached: Replay, insiders: Insiders
) -> None:
    (agent,) = insiders[Habit.PHOTOGRAPHER]
    found, looks = breached.first(agent), breached.bad_looks(agent)
    assert sum(at <= found.raised_at for at in looks) <= 40
    assert found.raised_at - looks[0] < 8 * HOUR


def test_a_small_daily_habit_is_found_within_days(breached: Replay, insiders: Insiders) -> None:
    (agent,) = insiders[Habit.SLOW]
    found, looks = breached.first(agent), breached.bad_looks(agent)
    assert found.raised_at - looks[0] <= 7 * DAY


def test_a_ring_is_named_in_one_finding_with_its_hub(breached: Replay, insiders: Insiders) -> None:
    rings = [f for f in breached.findings if f.kind is FindingKind.RING]
    assert {f.key for f in rings} == {f"ring:line:{RING_LEAD}"}
    assert any({*insiders[Habit.RING], RING_LEAD} <= set(f.agent_ids) for f in rings)


def test_findings_point_at_what_they_say(breached: Replay, insiders: Insiders) -> None:
    (agent,) = insiders[Habit.PHOTOGRAPHER]
    by_position = {e.position: e for e in breached.history.events}
    evidence = [by_position[p] for p in breached.first(agent).evidence]
    assert evidence
    for event in evidence:
        assert isinstance(event, AccessEvent)
        assert event.agent_id == agent


def test_every_finding_is_complete_in_itself(breached: Replay) -> None:
    for finding in breached.findings:
        assert finding.reasons
        assert finding.explained_by
        assert sum(share for _, share in finding.contributions) == pytest.approx(1.0)
        assert finding.first_event_at <= finding.raised_at
        assert len(finding.evidence) <= 500
        assert "this agent" in finding.reasons[0] or finding.kind is not FindingKind.AGENT


def test_repeats_update_one_matter_a_bounded_number_of_times(breached: Replay) -> None:
    keys = [f.key for f in breached.findings]
    assert max(keys.count(k) for k in keys) <= 8
