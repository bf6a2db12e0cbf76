from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.channels import CHANNELS, Channel
from tests.contracts.detectors import CHECKS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda c: c.name)
def test_every_channel_keeps_to_the_contract(
    channel: Channel, check: Callable[[Channel], None]
) -> None:
    check(channel)


def test_names_are_unique() -> None:
    assert len({c.name for c in CHANNELS}) == len(CHANNELS)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda c: c.name)
def test_every_channel_has_one_file_one_test_and_one_page(channel: Channel) -> None:
    for path in (
        f"detectors/channels/{channel.name}.py",
        f"tests/unit/detectors/channels/test_{channel.name}.py",
        f"docs/detectors/{channel.name}.md",
    ):
        assert (ROOT / path).is_file(), path
