"""A guard whose policy has reveals, and a small budget for each act; once per engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.store import SqlStore
from tests.support.acts import act_files
from tests.support.rig import Rig, open_rig


@pytest.fixture
def acts(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path, act_files()) as opened:
        yield opened
