from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.store import SqlStore
from tests.support.rig import Rig, open_rig


@pytest.fixture
def rig(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    with open_rig(store, clock, tmp_path) as opened:
        yield opened
