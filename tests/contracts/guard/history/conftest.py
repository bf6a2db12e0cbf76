"""Histories, once per engine."""

import pytest

from tests.contracts.guard.history.telling import Telling, telling
from tests.support.rig import Rig


@pytest.fixture
async def told(rig: Rig) -> Telling:
    made = telling(rig)
    await made.people()
    return made
