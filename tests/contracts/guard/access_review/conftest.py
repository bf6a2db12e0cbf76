"""The whole guard over a bundle small enough to read, once per engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.store import SqlStore
from tests.contracts.guard.backtest.floor import BASE
from tests.support.rig import Rig, open_rig


@pytest.fixture
def rig(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path, BASE) as opened:
        yield opened
