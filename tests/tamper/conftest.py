from pathlib import Path

import pytest

from guard.clock import ManualClock
from tests.support.makers import NOON
from tests.tamper.stand import Stand, build


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Stand:
    """A stand that nobody has touched."""
    return build(tmp_path_factory.mktemp("stand") / "whole", sqlite_template, ManualClock(NOON))


@pytest.fixture
def stand(whole: Stand, tmp_path: Path) -> Stand:
    """A copy of it to tamper with."""
    return whole.copy(tmp_path / "stand")
