"""What every evidence channel must keep to; `test_detectors.py` runs it against all of them."""

from dataclasses import replace

import msgspec

from detectors.channels import Channel, Look
from detectors.explanations import Explanation
from guard.events import AccessAction
from policies.model import Link
from tests.unit.detectors.making import make_event, make_look


def looks(n: int = 120) -> list[Look]:
    """A mixed stretch of work of one agent, without any chance in it."""
    links = list(Link)
    out = []
    for i in range(n):
        link = links[i * 7 % len(links)]
        action = AccessAction.SEARCH if i % 11 == 0 else AccessAction.VIEW
        event = replace(
            make_event(customer=f"c-{i * 37 % 50:06d}"),
            action=action,
            tier="vip" if i % 5 == 0 else "standard",
            device=f"d{i % 3}",
            result_count=i % 4,
        )
        look = make_look(link, at_s=45.0 * i, gap_s=45.0 if i else None, event=event)
        opener = "bob" if i % 2 else None
        out.append(replace(look, explanation=Explanation(link, opener), on_shift=i % 3 > 0))
    return out


def answers(channel: Channel, memory: list[float], stretch: list[Look]) -> list[bool]:
    """What a channel says about a stretch; updates `memory`."""
    return [channel.observe(memory, look) for look in stretch]


def check_deterministic(channel: Channel) -> None:
    """The same stretch gives the same answers."""
    one, two = (answers(channel, channel.start(), looks()) for _ in range(2))
    assert one == two


def check_memory_is_constant(channel: Channel) -> None:
    """Memory is a fixed number of floats, however long the stretch."""
    memory = channel.start()
    size = len(memory)
    answers(channel, memory, looks(1000))
    assert len(memory) == size
    assert all(isinstance(m, float) for m in memory)


def check_starts_are_independent(channel: Channel) -> None:
    """One agent's memory is not another's."""
    one, two = channel.start(), channel.start()
    answers(channel, one, looks())
    assert two == channel.start()


def check_memory_survives_storage(channel: Channel) -> None:
    """All that a channel knows of an agent is in its memory, and floats carry it exactly."""
    stretch = looks()
    memory = channel.start()
    answers(channel, memory, stretch[:60])
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=list[float])
    assert answers(channel, memory, stretch[60:]) == answers(channel, stored, stretch[60:])


def check_no_look_ahead(channel: Channel) -> None:
    """What comes later does not change an earlier answer."""
    stretch = looks()
    whole = answers(channel, channel.start(), stretch)
    part = answers(channel, channel.start(), stretch[:40] + stretch[:39:-1])
    assert part[:40] == whole[:40]


def check_survives_bare_events(channel: Channel) -> None:
    """A look of which hardly anything is known is judged, not refused."""
    assert channel.observe(channel.start(), make_look()) in {True, False}


def check_explains_itself(channel: Channel) -> None:
    """Words for findings, and a prior that is a rate."""
    assert 0.0 < channel.prior < 0.5
    assert channel.name.isidentifier()
    for words in (channel.label, channel.remedy):
        assert words == words.strip()
        assert not words.endswith(".")
        assert words[0].islower()


def check_a_strong_reason_is_never_evidence(channel: Channel) -> None:
    """An agent's own inbound case on its own desk counts for nothing on any channel."""
    stretch = [
        replace(look, explanation=Explanation(Link.OWNER), is_weak=False)
        for look in looks()
        if look.event.result_count
    ]
    same_desk = [replace(x, event=replace(x.event, device="d", link=Link.OWNER)) for x in stretch]
    assert not any(answers(channel, channel.start(), same_desk))


CHECKS = (
    check_deterministic,
    check_memory_is_constant,
    check_starts_are_independent,
    check_memory_survives_storage,
    check_no_look_ahead,
    check_survives_bare_events,
    check_explains_itself,
    check_a_strong_reason_is_never_evidence,
)
