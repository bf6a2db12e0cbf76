"""Real processes, each as short as it can be; nothing here waits for a clock."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from structlog.testing import capture_logs

from api import child as module
from api.child import FIRST_WAIT_S, LONGEST_WAIT_S, Child

PYTHON = sys.executable
ENDS = [PYTHON, "-c", "raise SystemExit(3)"]
# Reads what never comes; dies of a SIGTERM as any process does.
STAYS = [PYTHON, "-c", "import signal; signal.pause()"]
# Says by a pipe that it is deaf by now.
STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
signal.pause()
"""
# A test that reaches it has failed.
PATIENCE_S = 20.0


class Births:
    """A clock that counts: `mono` is read when a child is born and when it has ended."""

    def __init__(self, wanted: int, life_s: float = 0.0) -> None:
        self.readings, self.wanted, self.life_s = 0, wanted, life_s
        self.enough = Event()

    def __call__(self) -> float:
        self.readings += 1
        if self.readings > 2 * (self.wanted - 1):
            self.enough.set()
        return self.readings * self.life_s


class Waits(Event):
    """An `Event` that does not wait and knows for how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout or 0.0)
        return self.is_set()


@contextmanager
def watched(command: list[str], mono: Births, waits: Waits | None = None) -> Iterator[Child]:
    child = Child(command, {}, mono=mono)
    if waits is not None:
        child._stopping = waits  # noqa: SLF001 - so that no test waits for a restart
    child.start()
    try:
        yield child
    finally:
        child.stop()


def test_a_child_runs_until_it_is_stopped() -> None:
    with watched(STAYS, Births(1)) as child:
        living = child.pid
    assert (living is None, child.pid is None, child.starts) == (False, True, 1)


def test_a_child_gets_the_environment_it_is_given() -> None:
    command = [PYTHON, "-c", "import os, sys; sys.exit(int(os.environ['ANSWER']))"]
    with capture_logs() as lines:
        births = Births(2)
        child = Child(command, {"ANSWER": "42"}, mono=births)
        child._stopping = Waits()  # noqa: SLF001 - as above
        child.start()
        assert births.enough.wait(PATIENCE_S)
        child.stop()
    assert lines[0]["status"] == 42


def test_a_child_that_ends_by_itself_is_started_again() -> None:
    births = Births(3)
    with capture_logs() as lines, watched(ENDS, births, Waits()) as child:
        assert births.enough.wait(PATIENCE_S)
    assert child.starts >= 3
    assert lines[0] == {
        "event": "worker.ended",
        "log_level": "warning",
        "status": 3,
        "attempt": 1,
    }


def test_each_quick_end_doubles_the_wait() -> None:
    births, waits = Births(4), Waits()
    with capture_logs(), watched(ENDS, births, waits):
        assert births.enough.wait(PATIENCE_S)
    assert waits.asked[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]


def test_the_wait_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_S", FIRST_WAIT_S)
    births, waits = Births(3), Waits()
    with capture_logs(), watched(ENDS, births, waits):
        assert births.enough.wait(PATIENCE_S)
    assert waits.asked[:2] == [FIRST_WAIT_S, FIRST_WAIT_S]


def test_a_long_life_starts_the_waits_over() -> None:
    births, waits = Births(4, life_s=LONGEST_WAIT_S + 1), Waits()
    with capture_logs(), watched(ENDS, births, waits):
        assert births.enough.wait(PATIENCE_S)
    assert set(waits.asked[:3]) == {FIRST_WAIT_S}


def test_a_child_that_will_not_leave_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "LEAVE_S", 0.2)
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    command = [
        PYTHON,
        "-c",
        STUBBORN,
        str(ready),
    ]
    with watched(command, Births(1)) as child:
        ready.read_bytes()
    child._thread.join(PATIENCE_S)  # noqa: SLF001 - reaps what was killed
    assert child.pid is None
    process = child._process  # noqa: SLF001 - only its status tells how it ended
    assert process is not None
    assert process.returncode == -9


def test_a_child_that_was_stopped_before_is_not_started() -> None:
    child = Child(ENDS, {})
    child.stop()
    child.start()
    child.stop()
    assert child.starts == 0


def test_a_child_lives_as_long_as_its_block() -> None:
    with Child.beside(STAYS, {}) as child:
        assert child is not None
        living = child.pid
    assert (living is None, child.pid is None) == (False, True)


def test_an_error_in_the_block_stops_the_child_too() -> None:
    born: list[Child | None] = []

    def work() -> None:
        with Child.beside(STAYS, {}) as child:
            born.append(child)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert [child.pid for child in born if child is not None] == [None]


def test_a_child_that_is_not_wanted_is_none() -> None:
    with Child.beside(STAYS, {}, wanted=False) as child:
        assert child is None
