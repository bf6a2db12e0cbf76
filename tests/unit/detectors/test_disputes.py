from collections.abc import Sequence

import pytest

from detectors import disputes
from detectors.kernel import Kernel
from detectors.pipeline import Pipeline
from detectors.state import FloorState
from guard.clock import DAY, MINUTE, Micros
from guard.events import AccessEvent, DisputeEvent, FloorEvent
from guard.findings import Finding, Severity
from tests.unit.detectors.making import NINE, day_of_looks, make_event


def dispute(customer: str, *, ts: Micros = NINE - DAY, position: int = 0) -> DisputeEvent:
    return DisputeEvent(position=position, ts=ts, agent_id="ann", customer_id=customer, of=position)


def crowd(count: int) -> list[FloorEvent]:
    return [dispute(f"c{i}", position=i) for i in range(count)]


def sweep(count: int) -> list[AccessEvent]:
    return [
        make_event(ts=NINE + i * MINUTE, customer=f"x{i * 7919 % 99991}", position=1_000 + i)
        for i in range(count)
    ]


def said(events: Sequence[FloorEvent]) -> list[Finding]:
    kernel = Kernel(FloorState(), 1 / 1000)
    for event in events:
        kernel.take(event)
    return kernel.out


def test_any_number_of_disputes_is_no_alert_by_itself() -> None:
    assert said([*crowd(1_000)]) == []
    assert said([*crowd(1_000), *day_of_looks(35, unexplained=1)]) == []


def test_disputes_weigh_a_little_and_are_shown_as_what_they_are() -> None:
    without, with_them = said(sweep(40)), said([*crowd(2), *sweep(40)])
    assert with_them[0].evidence[-1] <= without[0].evidence[-1]
    found = with_them[0]
    assert found.channels[-1] == "disputes"
    assert "2 customers say" in found.reasons[-1]
    assert "can be mistaken" in found.reasons[-1]
    assert {0, 1} <= set(found.evidence)
    assert list(found.evidence) == sorted(found.evidence)
    assert sum(share for _, share in found.contributions) == pytest.approx(1.0)
    assert dict(found.contributions)["disputes"] <= disputes.MOST


def test_a_crowd_weighs_no_more_than_a_tenth_of_the_line() -> None:
    kernel = Kernel(FloorState(), 1 / 1000)
    kernel.take(make_event(ts=NINE - 2 * DAY))
    line = kernel.threshold
    for event in crowd(1):
        kernel.take(event)
    assert disputes.weight(kernel.floor, "ann", line) == pytest.approx(disputes.EACH * line)
    for event in crowd(500):
        kernel.take(event)
    assert disputes.weight(kernel.floor, "ann", line) == pytest.approx(disputes.MOST * line)
    assert disputes.weight(kernel.floor, "bob", line) == 0.0
    assert len(kernel.floor.disputes["ann"]) == disputes.KEPT


def test_disputes_make_nothing_more_urgent() -> None:
    found = said([*crowd(50), *sweep(40)])
    assert found[0].severity is Severity.MEDIUM
    (plain, *_) = said(sweep(40))
    floor = FloorState(now=NINE)
    disputes.note(floor, dispute("c1"))
    assert disputes.added(plain, floor, "ann", 100.0).severity is plain.severity


def test_a_customer_counts_once_in_a_period() -> None:
    floor = FloorState(now=NINE)
    disputes.note(floor, dispute("c1"))
    disputes.note(floor, dispute("c1", ts=NINE, position=7))
    assert [one.position for one in floor.disputes["ann"]] == [0]
    disputes.note(floor, dispute("c1", ts=NINE + 30 * DAY, position=8))
    assert [one.position for one in floor.disputes["ann"]] == [0, 8]


def test_what_is_older_than_a_period_weighs_nothing_and_is_forgotten() -> None:
    floor = FloorState(now=NINE)
    disputes.note(floor, dispute("c1", ts=NINE - disputes.PERIOD))
    assert disputes.weight(floor, "ann", 6.9) == 0.0
    disputes.note(floor, dispute("c2"))
    disputes.forget(floor)
    assert [one.customer for one in floor.disputes["ann"]] == ["c2"]
    floor.now += disputes.PERIOD
    disputes.forget(floor)
    assert floor.disputes == {}


def test_a_finding_without_weight_stays_as_it_is() -> None:
    found = said(sweep(40))[0]
    floor = FloorState(now=NINE)
    assert disputes.added(found, floor, "ann", 0.5) is found
    disputes.note(floor, dispute("c1"))
    assert disputes.added(found, floor, "ann", 0.0) is found


def test_disputes_are_replayed_and_survive_a_restart() -> None:
    events = [*crowd(3), *sweep(40)]
    whole = Pipeline().step(events, complete_to=NINE + DAY)
    cut = Pipeline()
    out = cut.step(events[:20])
    again = Pipeline.from_state(cut.state())
    out += again.step(events[20:], complete_to=NINE + DAY)
    assert out == whole
    shuffled = Pipeline().step(events[::-1], complete_to=NINE + DAY)
    assert shuffled == whole
    assert any("disputes" in f.channels for f in whole)
