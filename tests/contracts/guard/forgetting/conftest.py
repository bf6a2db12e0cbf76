"""Everything that forgets, once per engine."""

from pathlib import Path

import pytest

from tests.support.forgetting import Oblivion
from tests.support.rig import Rig


@pytest.fixture
def oblivion(rig: Rig, tmp_path: Path) -> Oblivion:
    return Oblivion.over(rig, tmp_path)
