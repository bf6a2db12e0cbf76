"""History goes on meaning what it meant: replays over an erased customer, on both engines."""

import pytest

from api.cli.quotas import charges, used
from api.feed import floor_events
from detectors.pipeline import Pipeline
from guard.backtest import Replay
from guard.events import FloorEvent, History
from guard.findings import Finding
from guard.forgetting import Forgotten
from guard.in_force import InForce
from guard.ledger.entry import check_stored
from guard.ledger.merkle import HASH_SIZE
from guard.ledger.verify import verify_log
from guard.quotas import rebuild
from policies.bundle import load_bundle
from tests.support.forgetting import Oblivion
from tests.support.log import stored_log
from tests.support.makers import TENANT
from tests.support.people import AGENT, put_people
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio
OTHER = make_caller("a2", team="team-1")


async def a_day(rig: Rig) -> list[str]:
    """Views with a case and without one, by two agents, one of whom opened her cases herself."""
    await put_people(rig)
    refs = await rig.customers(6)
    for number, ref in enumerate(refs):
        case = await rig.case(ref, opened_by=OTHER.id if number % 2 else None)
        await rig.broker.view(AGENT, rig.asks(ref, case))
        rig.clock.advance(1_000_000)
        await rig.broker.view(AGENT, rig.asks(ref, None if number % 3 else case))
        await rig.broker.view(OTHER, rig.asks(ref, None))
        rig.clock.advance(60_000_000)
    return refs


def events(rig: Rig, size: int) -> list[FloorEvent]:
    return [event for entry in rig.log()[:size] for event in floor_events(entry)]


def backtest(rig: Rig, size_until: int) -> object:
    policy = InForce.of(load_bundle(default_files()))
    with rig.store.read() as view:
        replay = Replay.over(view, policy, rig.vault, tenant=TENANT, since=0, until=size_until)
        while replay.step(view):
            pass
        return replay.report()


def counters(rig: Rig, until: int) -> dict[tuple[str, str, str], int]:
    log = [entry for entry in rig.log() if entry.event.at < until]
    return used(rebuild(charges(iter(log)), until))


def findings(seen: list[FloorEvent]) -> list[Finding]:
    return Pipeline().replay(History(events=tuple(seen)))


async def test_detectors_policies_and_quotas_see_the_history_that_they_saw(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    refs = await a_day(rig)
    size, until = len(rig.log()), rig.clock.now()
    rig.clock.advance(1_000_000)
    before = events(rig, size), backtest(rig, until), counters(rig, until)
    assert len(before[0]) > 20
    assert before[2]
    for ref in refs[:3]:
        await oblivion.forget(ref)
    assert (events(rig, size), backtest(rig, until), counters(rig, until)) == before
    assert findings(events(rig, size)) == findings(before[0])


async def test_every_earlier_checkpoint_and_the_whole_log_still_verify(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    ref, *_ = await a_day(rig)
    notes = [await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())]
    await oblivion.forget(ref)
    notes.append(await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now()))
    log = stored_log(rig.store)
    vkey = rig.publisher._signer.vkey  # noqa: SLF001 - the key that an outsider is given
    erased = sum(len(part or b"") == HASH_SIZE for entry in log for part in entry.sealed_subjects)
    assert erased > 3
    for note in notes:
        assert verify_log(log, checkpoint=note, vkey=vkey).erased == erased


async def test_only_what_was_forgotten_may_be_missing(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    ref, *_ = await a_day(rig)
    await oblivion.forget(ref)
    with rig.store.read() as view:
        forgotten = Forgotten.read(view, rig.vault, [TENANT])
    log = stored_log(rig.store)
    for entry in log:
        check_stored(entry)
        for name, part in zip(entry.refs, entry.sealed_subjects, strict=True):
            is_gone = len(part or b"") == HASH_SIZE
            assert is_gone == forgotten.may_lack_subject(TENANT, name, entry.index)
            assert is_gone == (name == ref)
