import json
from pathlib import Path

import pytest

from api import baselines
from api.cli.detection import alert_line
from detectors.access_events import write
from detectors.floor import Floor, Habit, Insider
from guard.clock import DAY, to_rfc3339
from guard.events import AccessEvent
from guard.findings import Finding, FindingKind, Severity
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from tests.unit.api.cli.conftest import Guard

START = 20_500 * DAY


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    floor = Floor.build(7, START, customers=200, agents=24)
    insider = Insider(habit=Habit.PHOTOGRAPHER, agents=("a001",), from_day=3)
    floor = floor.with_insiders(insider)
    found = [e for n in range(5) for e in floor.events(n) if isinstance(e, AccessEvent)]
    path = tmp_path_factory.mktemp("log") / "events.csv"
    write(path, found)
    return path


def test_a_foreign_log_is_replayed_into_alerts(guard: Guard, events: Path) -> None:
    said = guard("replay", events, "--warm-up-until", to_rfc3339(START + 3 * DAY))
    assert said.code == 0
    alerts = [json.loads(line) for line in said.out.splitlines()]
    assert {name for alert in alerts for name in alert["agent_ids"]} == {"a001"}
    assert all(alert["reasons"] and alert["score"] > 0 for alert in alerts)


def test_without_a_warm_up_it_still_runs(guard: Guard, events: Path) -> None:
    assert guard("replay", events).code == 0


def test_a_time_that_is_none_and_a_row_that_cannot_be_read_are_named(
    guard: Guard, events: Path, tmp_path: Path
) -> None:
    assert guard("replay", events, "--warm-up-until", "2026-01-01").code == 65
    broken = tmp_path / "events.csv"
    broken.write_text("ts,agent_id,customer_id,action\nyesterday,a,c,view\n")
    said = guard("replay", broken)
    assert said.code == 65
    assert "ts" in said.err


def test_a_baseline_is_sealed_and_recorded(guard: Guard, events: Path, data_dir: Path) -> None:
    said = guard("baseline", "add", events, "--tenant", "north", "--json")
    assert said.code == 0
    digest = json.loads(said.out)["digest"]
    keys = data_dir / "keys"
    keyring = Keyring.open((keys / "root.key").as_uri(), keys / "keyring.json")
    history = baselines.read(data_dir / "baselines", EntryVault(keyring), "north", digest)
    assert len(history.events) == json.loads(said.out)["rows"]
    assert json.loads(guard("verify", "--json").out)["size"] >= 3


def test_an_alert_that_points_at_nothing_keeps_its_own_time() -> None:
    finding = Finding(
        key="k",
        kind=FindingKind.RING,
        raised_at=DAY,
        first_event_at=0,
        agent_ids=("a", "b"),
        score=12.0,
        severity=Severity.HIGH,
        channels=("ring",),
        reasons=("they share customers",),
        contributions=(("ring", 1.0),),
        evidence=(4,),
    )
    assert alert_line(finding, {})["first_event_ts"] == to_rfc3339(0)
    assert alert_line(finding, {4: DAY})["first_event_ts"] == to_rfc3339(DAY)
