from pathlib import Path

import pytest

from tests.unit.guard.ledger.makers import LogMaker


@pytest.fixture
def log(tmp_path: Path) -> LogMaker:
    return LogMaker(tmp_path)
