import msgspec

from guard.entries import SYSTEM, EntryKind, EventPart, event_by, system_event
from tests.support.rig import make_caller


def test_an_entry_by_somebody_carries_their_whole_place() -> None:
    caller = make_caller("a1", actor="bot-1")
    event = event_by(caller, EntryKind.VIEW, 7)
    assert (event.at, event.kind, event.agent, event.actor) == (7, "view", "a1", "bot-1")
    assert (event.tenant, event.region, event.vendor, event.site, event.team, event.line) == (
        caller.tenant,
        caller.region,
        caller.vendor,
        caller.site,
        caller.team,
        caller.line,
    )


def test_an_entry_of_the_broker_itself_is_nobodys() -> None:
    event = system_event("acme", EntryKind.BUNDLE, 7, {"digest": "d"})
    assert (event.agent, event.role, event.tenant) == (SYSTEM, SYSTEM, "acme")


def test_an_event_part_reads_back_what_was_written() -> None:
    event = system_event("acme", EntryKind.ALERT, 7, {"agents": ["a", "b"], "n": 1, "by": {"x": 1}})
    assert msgspec.json.decode(msgspec.json.encode(event), type=EventPart) == event


def test_numbers_of_kinds_are_never_reused() -> None:
    assert len({kind.value for kind in EntryKind}) == len(EntryKind)
    assert (EntryKind.WRITER_OPEN, EntryKind.VIEW, EntryKind.SUSPENSION) == (1, 16, 67)
