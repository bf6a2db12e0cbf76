from pathlib import Path

import pytest

from guard.errors import ConfigurationError, StoreUnavailableError
from guard.findings import Finding, FindingKind, Severity
from guard.store.worker_file import WorkerFile


def a_finding(key: str) -> Finding:
    return Finding(
        key=key,
        kind=FindingKind.AGENT,
        raised_at=2,
        first_event_at=1,
        agent_ids=("a-1",),
        score=12.5,
        severity=Severity.HIGH,
        channels=("unexplained",),
        reasons=("31 of 40 views have no case behind them",),
        contributions=(("unexplained", 1.0),),
        evidence=(3, 9),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "worker.db"


def test_a_new_file_starts_at_the_first_entry_and_is_empty(path: Path) -> None:
    file = WorkerFile(path)
    assert file.load() == (0, {})
    assert file.after(0, 10) == []
    file.close()


def test_cursor_states_and_findings_are_kept_together(path: Path) -> None:
    file = WorkerFile(path)
    file.commit(7, {"north": b"n1", "south": b"s1"}, [("north", a_finding("k1"))])
    file.commit(9, {"north": b"n2"}, [])
    file.close()
    again = WorkerFile(path)
    assert again.load() == (9, {"north": b"n2", "south": b"s1"})
    (item,) = again.after(0, 10)
    assert (item.position, item.tenant, item.finding) == (1, "north", a_finding("k1"))
    again.close()


def test_the_broker_reads_on_from_its_position_in_order(path: Path) -> None:
    worker, broker = WorkerFile(path), WorkerFile(path)
    worker.commit(5, {}, [("t", a_finding(f"k{n}")) for n in range(5)])
    assert [i.position for i in broker.after(0, 2)] == [1, 2]
    assert [i.finding.key for i in broker.after(2, 10)] == ["k2", "k3", "k4"]
    assert broker.worker == worker.worker
    worker.close()
    broker.close()


def test_a_finding_that_cannot_be_written_leaves_the_cursor_where_it_was(path: Path) -> None:
    file = WorkerFile(path)
    file.commit(3, {"t": b"s"}, [])
    with pytest.raises(StoreUnavailableError):
        file.commit(4, {"t": None}, [("t", a_finding("k"))])  # type: ignore[dict-item] # breaks the transaction half way
    assert file.load() == (3, {"t": b"s"})
    assert file.after(0, 10) == []
    file.close()


def test_a_file_that_was_made_anew_has_another_name(path: Path) -> None:
    first = WorkerFile(path)
    first.close()
    for part in path.parent.iterdir():
        part.unlink()
    second = WorkerFile(path)
    assert second.worker != first.worker
    second.close()


def test_a_file_of_another_release_is_refused_with_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WorkerFile(path).close()
    monkeypatch.setattr("guard.store.worker_file.VERSION", 2)
    with pytest.raises(ConfigurationError, match="move it away"):
        WorkerFile(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        WorkerFile(tmp_path / "taken" / "worker.db")


def test_a_file_that_vanishes_is_unavailable_not_empty(path: Path) -> None:
    file = WorkerFile(path)
    file.close()
    for part in path.parent.iterdir():
        part.unlink()
    with pytest.raises(StoreUnavailableError):
        file.load()
    with pytest.raises(StoreUnavailableError):
        file.after(0, 1)
    file.close()
