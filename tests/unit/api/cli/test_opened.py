from pathlib import Path

import anyio
import pytest

from api.cli.opened import services
from guard.errors import ConfigurationError


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
