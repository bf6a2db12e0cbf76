from dataclasses import replace

from detectors.channels.devices import Devices
from policies.model import Link
from tests.unit.detectors.making import make_event, make_look


def _answers(*steps: tuple[str | None, float]) -> list[bool]:
    channel = Devices()
    memory = channel.start()
    return [
        channel.observe(
            memory,
            make_look(Link.OWNER, at_s=at_s, event=replace(make_event(), device=device)),
        )
        for device, at_s in steps
    ]


def test_changing_desks_once_is_honest() -> None:
    assert not any(_answers(("d1", 0), ("d1", 60), ("d2", 120), ("d2", 180)))


def test_going_back_and_forth_within_minutes_counts() -> None:
    assert _answers(("d1", 0), ("d2", 60), ("d1", 120), ("d2", 180)) == [False, False, True, True]


def test_coming_back_after_hours_is_honest() -> None:
    assert not any(_answers(("d1", 0), ("d2", 60), ("d1", 7200)))


def test_unknown_devices_are_left_alone() -> None:
    assert not any(_answers((None, 0), ("d1", 10), (None, 20), ("d1", 30)))
