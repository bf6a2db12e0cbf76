"""kill -9 at any moment: what was acknowledged is in the log, and the log is whole."""

import contextlib
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from guard import quotas
from guard.entries import EntryKind, OpenedEntry
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.concurrency.appender import CALLERS, serve_url
from tests.support.admissions import make_admission
from tests.support.log import opened_log
from tests.support.makers import make_budget, make_subject

KILLS = 50 if os.environ.get("RECORDGUARD_FULL") == "1" else 10
SEED = 20_261_118


# The server imports everything once; each broker is a fresh fork of it, without our threads.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.concurrency.appender"])


def acknowledged_until_killed(url: str, lines: int) -> dict[int, str]:
    """Run a broker, kill it after it acknowledged `lines` views; all that it acknowledged."""
    ours, theirs = FORKS.Pipe(duplex=False)
    broker = FORKS.Process(target=serve_url, args=(url, theirs))
    broker.start()
    theirs.close()
    read = [ours.recv_bytes() for _ in range(lines)]
    broker.kill()
    with contextlib.suppress(EOFError, OSError):  # the end, or the middle of a message
        while True:
            read.append(ours.recv_bytes())
    broker.join()
    broker.close()
    ours.close()
    return {int(index): entry_id.decode() for index, entry_id in map(bytes.split, read)}


@pytest.mark.parametrize("rounds", [KILLS])
def test_killed_brokers_lose_nothing_that_they_acknowledged(
    sqlite_template: Path, tmp_path: Path, rounds: int
) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(sqlite_template.read_bytes())
    url = sqlite_url(path)
    with SqlStore(url) as store, store.begin() as rows:
        rows.add_subjects([make_subject(f"c{n}") for n in range(CALLERS)])
    promised: dict[int, str] = {}
    log: list[OpenedEntry] = []
    for lines in np.random.default_rng(SEED).integers(1, 60, size=rounds).tolist():
        promised |= acknowledged_until_killed(url, lines)
        with SqlStore(url) as store:
            log = opened_log(store)
            assert all(log[index].entry_id == entry_id for index, entry_id in promised.items())
            check_counters(store, log[-1].event.at)
    assert [entry.kind for entry in log].count(EntryKind.WRITER_OPEN) == rounds
    assert len(promised) >= rounds


def check_counters(store: SqlStore, now: int) -> None:
    """The counters hold exactly what the entries charged."""
    key = "agent:acme/a1"
    with store.read() as view:
        state = view.budget_state({key}, (), now)
    bindings = make_admission(budgets=[make_budget()]).bindings
    charged = [one for one in map(quotas.charged_in, opened_log(store)) if one is not None]
    rebuilt = quotas.rebuild(charged, now)
    assert quotas.statuses(state, bindings, now)[0].used == (
        quotas.statuses(rebuilt, bindings, now)[0].used
    )
