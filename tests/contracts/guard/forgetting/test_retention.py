"""Details run out, on both engines."""

import pytest

from guard.clock import DAY, from_rfc3339
from guard.entries import EntryKind, OpenedEntry, StoredEntry
from guard.errors import KeyUnavailableError, ProofError
from guard.forgetting import Forgotten, HoldGround, HoldPut, RetentionRules
from guard.forgetting import retention as module
from guard.ledger.entry import check_stored, open_entry
from guard.ledger.merkle import HASH_SIZE
from guard.rows import HoldScope, LogQuery
from guard.vault.sealing import EntryVault
from guard.views import Served
from tests.support.forgetting import Oblivion
from tests.support.log import settle, stored_log
from tests.support.makers import TENANT, make_entry
from tests.support.people import AGENT, ANALYST, AUDITOR, SECOND, put_people
from tests.support.rig import Rig
from tests.support.sealing import PlainSealer

pytestmark = pytest.mark.anyio
RULES = RetentionRules(months=2, by_kind={EntryKind.CASE: 1})
JANUARY = from_rfc3339("2027-01-31T00:00:00Z")
FEBRUARY = from_rfc3339("2027-02-02T00:00:00Z")


async def viewed(rig: Rig, ref: str) -> None:
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)


def cut(log: list[StoredEntry]) -> list[int]:
    return [e.index for e in log if len(e.sealed_event or b"") == HASH_SIZE]


def kind_of(entry: StoredEntry) -> EntryKind:
    return check_stored(entry).kind


async def test_details_of_a_month_that_is_over_are_cut_by_kind(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    (ref,) = await rig.customers(1)
    await put_people(rig)
    await viewed(rig, ref)
    retention = oblivion.retention(RULES)
    assert await retention.turn() == 0
    rig.clock.advance(JANUARY - rig.clock.now())
    before = stored_log(rig.store)
    count = await retention.turn()
    log = stored_log(rig.store)
    assert {kind_of(log[index]) for index in cut(log)} == {EntryKind.CASE}
    assert count == len(cut(log)) == 1
    rig.clock.advance(FEBRUARY - rig.clock.now())
    await retention.turn()
    log = stored_log(rig.store)
    left = {kind_of(entry) for entry in log} - {kind_of(log[index]) for index in cut(log)}
    assert left == {EntryKind.WRITER_OPEN, EntryKind.RETENTION}
    assert [(e.leaf, e.leaf_hash, e.refs) for e in log[: len(before)]] == [
        (e.leaf, e.leaf_hash, e.refs) for e in before
    ]
    for index in cut(log):
        assert all(len(part or b"") == HASH_SIZE for part in log[index].sealed_subjects)
        searched = log[index].searched or {}
        assert (searched["agent"], searched["team"], searched["tenant"]) == ("", "", TENANT)
    assert await retention.turn() == await oblivion.retention(RULES).turn() == 0


async def test_an_entry_placed_before_one_of_an_earlier_month_is_cut_in_its_turn(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    await rig.customers(1)
    settle(rig.store)
    november, december = rig.clock.now(), from_rfc3339("2026-12-01T00:00:00Z")
    # Two writers, whose entries were placed one behind the other.
    for name, at in ((b"writer-1", december), (b"writer-2", november)):
        new = make_entry(EntryKind.SIGN_IN, at=at)
        with rig.store.begin() as rows:
            rows.append([PlainSealer(name).seal(new, writer_seq=0, subjects={}, next_n={})])
        settle(rig.store)
    retention = oblivion.retention(RetentionRules(months=1, by_kind={}))
    for now in ("2027-01-02T00:00:00Z", "2027-02-02T00:00:00Z"):
        rig.clock.advance(from_rfc3339(now) - rig.clock.now())
        await retention.turn()
    log = stored_log(rig.store)
    assert [kind_of(log[index]) for index in cut(log)].count(EntryKind.SIGN_IN) == 2


async def test_what_runs_out_is_named_by_an_entry_and_nothing_else_may_be_missing(
    oblivion: Oblivion, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = oblivion.rig
    monkeypatch.setattr(module, "BATCH", 3)
    refs = await rig.customers(3)
    for ref in refs:
        await viewed(rig, ref)
    rig.clock.advance(FEBRUARY - rig.clock.now())
    await oblivion.retention(RULES).turn()
    log = stored_log(rig.store)
    entries = [e for e in opened(rig) if e.kind is EntryKind.RETENTION]
    assert len(entries) > 1
    assert sum(int(str(e.event.body["entries"])) for e in entries) == len(cut(log))
    with rig.store.read() as view:
        forgotten = Forgotten.read(view, rig.vault, [TENANT])
    assert [e.index for e in log if forgotten.may_lack_event(e.index)] == cut(log)
    assert forgotten.may_lack_subject(TENANT, refs[0], cut(log)[0])


def opened(rig: Rig) -> list[OpenedEntry]:
    log = stored_log(rig.store)
    whole = [e for e in log if len(e.sealed_event or b"") > HASH_SIZE]
    return [open_entry(e, rig.vault, {}) for e in whole]


async def test_a_month_without_details_loses_its_key_and_keeps_what_outlives_it(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    await viewed(rig, other)
    done = await oblivion.forget(ref)
    old = stored_log(rig.store)
    assert f"{TENANT}/2026-11" in rig.keyring.epochs_of(TENANT)
    rig.clock.advance(FEBRUARY - rig.clock.now())
    await oblivion.retention(RULES).turn()
    assert rig.keyring.epochs_of(TENANT) == [f"{TENANT}/2027-02", f"{TENANT}/kept"]
    (erasure,) = [e for e in opened(rig) if e.kind is EntryKind.ERASURE]
    assert erasure.entry_id == done.receipt.entry_id
    # A backup of the database from before has the bytes, and no key opens them.
    for entry in old:
        if entry.epoch == f"{TENANT}/2026-11":
            with pytest.raises(KeyUnavailableError):
                open_entry(entry, EntryVault(rig.keyring), {})
    found = await rig.auditing.views(AUDITOR, LogQuery(tenant=TENANT, ref=other))
    assert all(entry.kind is EntryKind.AUDIT_QUERY for entry in found.entries)


@pytest.mark.parametrize("scope", list(HoldScope))
async def test_a_hold_beats_retention(oblivion: Oblivion, scope: HoldScope) -> None:
    rig = oblivion.rig
    await put_people(rig)
    ref, other = await rig.customers(2)
    case = await rig.case(ref)
    start = rig.clock.now()
    rig.clock.advance(1_000_000)
    assert isinstance(await rig.broker.view(AGENT, rig.asks(ref, case)), Served)
    rig.clock.advance(DAY)
    second = AGENT if scope is not HoldScope.AGENT else ANALYST
    await rig.broker.view(second, rig.asks(other, await rig.case(other)))
    value = {
        HoldScope.CUSTOMER: ref,
        HoldScope.AGENT: AGENT.id,
        HoldScope.CASE: case,
        HoldScope.TIME: "",
    }[scope]
    hold = await oblivion.holds.set(
        ANALYST,
        HoldPut(
            scope=scope,
            value=value,
            ground=HoldGround.INVESTIGATION,
            matter="I-1",
            since=start + 1,
            until=start + DAY,
        ),
    )
    rig.clock.advance(FEBRUARY - rig.clock.now())
    retention = oblivion.retention(RULES)
    await retention.turn()
    log = stored_log(rig.store)
    kept = [
        e.index
        for e in log
        if kind_of(e) is EntryKind.VIEW and len(e.sealed_event or b"") > HASH_SIZE
    ]
    assert len(kept) == 1
    assert log[kept[0]].refs == (ref,)
    assert f"{TENANT}/2026-11" in rig.keyring.epochs_of(TENANT)
    await oblivion.holds.lift(ANALYST, hold.id)
    await oblivion.holds.lift(SECOND, hold.id)
    assert await retention.turn() >= 1
    assert f"{TENANT}/2026-11" not in rig.keyring.epochs_of(TENANT)


async def test_an_entry_that_says_what_was_forgotten_must_not_itself_be_gone(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    (ref,) = await rig.customers(1)
    done = await oblivion.forget(ref)
    index = rig.entry(done.receipt).index
    await rig.committer.run(lambda tx: tx.rows.cut_details([index]))
    with rig.store.read() as view, pytest.raises(ProofError):
        Forgotten.read(view, rig.vault, [TENANT])
