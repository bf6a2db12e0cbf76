"""The directory and the policy of a day, out of the log, on both engines."""

from dataclasses import replace

import pytest

from guard.access_review import policy_on, roster_on
from guard.access_review import roster as reading
from guard.clock import DAY
from guard.entries import SYSTEM, EntryKind, NewEntry, system_event
from guard.errors import NotFoundError
from policies.bundle import digest_of
from policies.model import Desk, Role
from tests.contracts.guard.backtest.floor import BASE, STRICT
from tests.support.makers import TENANT, make_principal
from tests.support.people import AGENT, ANALYST, DIRECTORY, SECOND, put_people
from tests.support.rig import Rig, row_of

pytestmark = pytest.mark.anyio


async def record(rig: Rig, entry: NewEntry) -> None:
    await rig.committer.run(lambda tx: tx.record(entry))


async def test_people_are_what_they_were_on_the_day(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    before_all = rig.clock.now() - 1
    await put_people(rig)
    rig.clock.advance(DAY)
    began = rig.clock.now() - 1
    moved = replace(row_of(AGENT), team="team-2", role=Role.LEAD, desk=Desk.VIP)
    gone = replace(row_of(SECOND), is_active=False)
    await rig.directory.put(DIRECTORY, [moved, gone])
    with rig.read() as view:
        then = roster_on(view, rig.vault, TENANT, began)
        now = roster_on(view, rig.vault, TENANT, rig.clock.now() + DAY)
        before = roster_on(view, rig.vault, TENANT, before_all)
    first = {person.id: person for person in then.people}
    assert set(first) == {"a1", "ana", "aud", "ben"}
    assert (first["a1"].team, first["a1"].role, first["a1"].desk) == (
        "team-1",
        Role.AGENT,
        Desk.FRONT_LINE,
    )
    assert {person.id: person.desk for person in now.people}["a1"] is Desk.VIP
    assert "ben" not in {person.id for person in now.people}
    assert before.people == ()
    assert before.logged_since == now.logged_since
    assert before_all < (now.logged_since or 0) < began


async def test_what_the_log_does_not_say_is_said(rig: Rig) -> None:
    with rig.read() as view:
        assert roster_on(view, rig.vault, TENANT, rig.clock.now()).logged_since is None
    with rig.store.begin() as rows:
        rows.put_principal(make_principal("ghost"))
    old = {"agent": "old", "team": "t", "role": "agent", "kind": "human"}
    for body in (old, old | {"agent": "odd", "role": "wizard", "desk": "vip"}):
        event = system_event(TENANT, EntryKind.PRINCIPAL, rig.clock.now(), dict(body))
        entry = NewEntry(kind=EntryKind.PRINCIPAL, event=event)
        await record(rig, entry)
    with rig.read() as view:
        found = roster_on(view, rig.vault, TENANT, rig.clock.now() + DAY)
    assert [person.id for person in found.people] == ["old"]
    assert (found.unlogged, found.without_desk, found.unreadable) == (1, 1, 1)


async def test_the_policy_is_the_one_that_was_in_force(rig: Rig) -> None:
    await put_people(rig)
    start = rig.clock.now()
    with rig.read() as view, pytest.raises(NotFoundError):
        policy_on(view, rig.vault, TENANT, start)
    (ref,) = await rig.customers(1)
    await rig.broker.view(AGENT, rig.asks(ref))
    with rig.store.begin() as rows:
        rows.put_bundle(digest_of(BASE), BASE)
    rig.clock.advance(DAY)
    seen = rig.clock.now()
    rig.clock.advance(DAY)
    row = await rig.activations.propose(ANALYST, STRICT, "x")
    await rig.activations.approve(SECOND, row.id)
    active = await rig.activations.activate(ANALYST, row.id)
    with rig.read() as view:
        first = policy_on(view, rig.vault, TENANT, seen)
        later = policy_on(view, rig.vault, TENANT, active.activated_at or 0)
    assert first.bundle.digest == digest_of(BASE)
    assert first.known_from.startswith("entry ")
    assert later.bundle.digest == digest_of(STRICT)
    assert later.known_from == f"activation {row.id}"
    rig.clock.advance(DAY)
    await rig.activations.rollback(ANALYST, "x")
    with rig.read() as view:
        still = policy_on(view, rig.vault, TENANT, rig.clock.now() - DAY)
        back = policy_on(view, rig.vault, TENANT, rig.clock.now() + 9)
    assert still.bundle.digest == digest_of(STRICT)
    assert back.bundle.digest == digest_of(BASE)


async def test_the_newest_word_on_the_policy_holds_and_a_lost_one_is_said(rig: Rig) -> None:
    for digest in (digest_of(BASE), "lost", "broken"):
        event = system_event(SYSTEM, EntryKind.BUNDLE, rig.clock.now(), {"digest": digest})
        entry = NewEntry(kind=EntryKind.BUNDLE, event=event)
        await record(rig, entry)
        rig.clock.advance(DAY)
    with rig.store.begin() as rows:
        rows.put_bundle(digest_of(BASE), BASE)
        rows.put_bundle("broken", {"a.cedar": b""})
    with rig.read() as view:
        first, *others = [e.event.at for e in rig.log() if e.kind is EntryKind.BUNDLE]
        assert policy_on(view, rig.vault, TENANT, first).bundle.digest == digest_of(BASE)
        for at in others:
            with pytest.raises(NotFoundError, match="cannot be read"):
                policy_on(view, rig.vault, TENANT, at)
