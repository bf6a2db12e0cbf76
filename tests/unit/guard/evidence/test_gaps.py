"""Gaps in the numbers of writers, before both verifiers."""

from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import text

from guard.entries import EntryKind, NewEntry, system_event
from guard.errors import ProofError
from guard.evidence import standalone
from guard.fsck import Fault, Kept, NothingForgotten, check_store
from guard.ledger.entry import Leaf, encode_leaf
from guard.ledger.integrator import Integrator, tell_gaps
from guard.ledger.writers import Writers
from guard.ports import Transaction
from tests.support.makers import TENANT
from tests.support.rig import Rig
from tests.unit.guard.evidence.cases import Told, bundle, judge, publish, tell

KINDS = (EntryKind.VIEW, EntryKind.GAP, EntryKind.WRITER_CLOSE)


def leaf(kind: EntryKind, writer: bytes, seq: int, at: int) -> bytes:
    return encode_leaf(
        Leaf(
            entry_id=bytes(16),
            at=at,
            kind=kind,
            writer=writer,
            writer_seq=seq,
            tag=bytes(16),
            commitment=bytes(32),
        )
    )


def library(leaves: list[bytes], start: int) -> bool:
    writers = Writers(from_the_beginning=start == 0, may_have_gaps=True)
    try:
        with writers.judging():
            writers.follow_all(start, leaves)
    except ProofError:
        return False
    return True


def alone(leaves: list[bytes], start: int) -> bool:
    writers = standalone.Writers(start)
    try:
        for place, one in enumerate(leaves, start):
            writers.follow(place, one)
    except standalone.RefusedError:
        return False
    return not writers.untold


def test_both_verifiers_follow_writers_alike() -> None:
    judged = set()
    first = leaf(EntryKind.WRITER_OPEN, b"writer-1", 0, 5)
    for start, kinds, steps, times in product(
        (0, 3), product(KINDS, repeat=3), product((0, 1, 2), repeat=3), ((6, 7, 8), (6, 5, 8))
    ):
        seq, leaves = 0, [first]
        for kind, step, at in zip(kinds, steps, times, strict=True):
            seq += step
            leaves.append(leaf(kind, b"writer-1", seq, at))
        for shown in (leaves, leaves[1:]):
            holds = library(shown, start)
            assert holds == alone(shown, start), (start, kinds, steps, times)
            judged.add(holds)
    assert judged == {True, False}


def fsck(told: Told, folder: Path) -> tuple[Fault, ...]:
    kept = Kept(log_dir=folder / "log", high_water=(folder / "high-water").read_bytes())
    key, explained = told.keys[0], NothingForgotten()
    with told.rig.store.read() as view:
        return check_store(view, told.rig.vault, key, kept, explained=explained).faults


async def clock_entry(rig: Rig) -> None:
    def work(tx: Transaction) -> None:
        event = system_event(TENANT, EntryKind.CLOCK, rig.clock.now(), {})
        tx.record(NewEntry(kind=EntryKind.CLOCK, event=event))

    await rig.committer.run(work)


@pytest.mark.anyio
async def test_a_gap_holds_once_it_is_told_and_not_before(
    rig: Rig, store_url: str, tmp_path: Path
) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("every entry has a place when it is durable")
    told = await tell(rig, tmp_path)
    for _ in range(3):
        await clock_entry(rig)
    with rig.store.begin() as rows:
        deleted = "delete from pending where id = (select max(id) - 1 from pending)"
        rows._connection.execute(text(deleted))  # noqa: SLF001 - as its administrator could
    Integrator(rig.store).catch_up()
    await publish(rig)
    assert judge(await bundle(told, tmp_path / "a.zip", customer=told.refs[0]), told.vkeys) is None
    found = fsck(told, tmp_path)
    assert any("an entry is missing" in fault.what for fault in found), found
    await rig.committer.run(lambda tx: tell_gaps(rig.clock.now(), tx))
    await publish(rig)
    for customer in (told.refs[0], None):
        path = await bundle(told, tmp_path / "b.zip", customer=customer)
        report = judge(path, told.vkeys)
        assert report is not None
        assert report.gaps == 1
    assert fsck(told, tmp_path) == ()
