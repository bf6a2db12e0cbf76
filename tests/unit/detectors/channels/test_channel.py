from detectors.channels import CHANNELS
from detectors.channels.channel import Channel


def test_every_channel_satisfies_the_protocol_under_a_name_of_its_own() -> None:
    channels: tuple[Channel, ...] = CHANNELS
    assert len({c.name for c in channels}) == len(channels)
