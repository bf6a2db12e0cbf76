from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from api.cli.opened import services, somebody
from guard.errors import ConfigurationError, NotFoundError
from tests.support.makers import TENANT
from tests.support.people import AUDITOR, DIRECTORY
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill


def test_the_service_is_opened_for_one_command_and_closed_behind_it(data_dir: Path) -> None:
    async def work() -> None:
        async with services() as opened:
            assert opened.settings.data_dir == data_dir
            with pytest.raises(ConfigurationError, match="another broker process"):
                async with services():
                    pass
        async with services():
            pass

    anyio.run(work)


def test_a_command_speaks_for_somebody_active_of_the_directory_alone(
    fill: Fill, data_dir: Path
) -> None:
    assert data_dir.is_dir()

    async def people(rig: Rig) -> None:
        gone = replace(row_of(make_caller("gone")), is_active=False)
        await rig.directory.put(DIRECTORY, [row_of(AUDITOR), gone])

    async def work() -> None:
        async with services() as opened:
            assert (await somebody(opened, TENANT, AUDITOR.id)).role is AUDITOR.role
            for name in ("gone", "nobody"):
                with pytest.raises(NotFoundError, match="nobody active"):
                    await somebody(opened, TENANT, name)

    fill(people)
    anyio.run(work)
