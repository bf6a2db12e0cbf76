from detectors.channels.hot_unexplained import HotUnexplained
from policies.model import Link
from tests.unit.detectors.making import make_look


def test_one_slip_is_not_hot() -> None:
    channel = HotUnexplained()
    assert not channel.observe(channel.start(), make_look())


def test_a_second_within_minutes_is_hot() -> None:
    channel = HotUnexplained()
    memory = channel.start()
    channel.observe(memory, make_look())
    assert channel.observe(memory, make_look(at_s=599))


def test_a_second_after_an_hour_is_another_slip() -> None:
    channel = HotUnexplained()
    memory = channel.start()
    channel.observe(memory, make_look())
    assert not channel.observe(memory, make_look(at_s=3600))


def test_explained_views_between_do_not_cool_it_and_never_count() -> None:
    channel = HotUnexplained()
    memory = channel.start()
    channel.observe(memory, make_look())
    assert not channel.observe(memory, make_look(Link.OWNER, at_s=60))
    assert channel.observe(memory, make_look(at_s=120))
