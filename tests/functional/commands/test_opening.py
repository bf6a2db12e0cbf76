import pytest

from api.cli.opened import services
from api.settings import Settings
from guard.errors import ConfigurationError

pytestmark = pytest.mark.anyio


async def test_the_service_is_started_for_the_block_and_closed_behind_it(
    settings: Settings,
) -> None:
    async with services(settings) as opened:
        assert await opened.readers.read(lambda view: view.head()[0]) > 0
    async with services(settings):
        pass


@pytest.mark.usefixtures("home")
async def test_without_settings_the_environment_says_where() -> None:
    async with services() as opened:
        assert await opened.directory.get("acme", "a1") is not None


async def test_a_ledger_that_is_written_already_is_refused(settings: Settings) -> None:
    async with services(settings):
        with pytest.raises(ConfigurationError):
            async with services(settings):
                pass


async def test_an_error_in_the_block_gives_the_ledger_back(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError):
        async with services(settings):
            raise ZeroDivisionError
    async with services(settings):
        pass
