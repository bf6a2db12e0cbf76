"""A backup that is older than an erasure comes back, on both engines."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Executable

from guard.entries import EntryKind
from guard.errors import KeyUnavailableError
from guard.forgetting import ErasureGround, Forgotten, Restored
from guard.forgetting.restoring import note_restored
from guard.ledger.merkle import CompactRange
from guard.rows import ErasureState, SubjectRow
from guard.store.tables import (
    detail_event,
    detail_subject,
    entry,
    erasure,
    late_link,
    subject,
    tree_head,
)
from guard.vault.keyring import Keyring, key_id
from guard.views import RefusalCode, Refused, Served
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, AUDITOR
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


def row_of(rig: Rig, ref: str) -> SubjectRow:
    with rig.store.read() as view:
        return view.subjects({ref})[ref]


def change(rig: Rig, *statements: Executable) -> None:
    """Change the database behind the service's back."""
    with rig.store.begin() as rows:
        for statement in statements:
            rows._connection.execute(statement)  # noqa: SLF001 - as a restore does


def bring_back(rig: Rig, *older: SubjectRow) -> None:
    """Put customers' rows back as an older backup has them, with no erasure known."""
    names = ("bucket", "wrapped_key", "sealed_key", "key_blind", "next_n")
    rows = [
        subject.update()
        .where(subject.c.ref == row.ref)
        .values({name: getattr(row, name) for name in names})
        for row in older
    ]
    change(rig, *rows, erasure.delete())


def truncate(rig: Rig, size: int, *older: SubjectRow) -> None:
    """Take the log back to `size` entries, and customers' rows to what they were."""
    bring_back(rig, *older)
    tree = CompactRange()
    with rig.store.read() as view:
        for leaf in view.leaf_hashes(0, size):
            tree.append(leaf)
    tables = (late_link, detail_subject, detail_event, entry)
    head = tree_head.update().values(size=tree.size, range=b"".join(tree.hashes))
    change(rig, *(table.delete().where(table.c.idx >= size) for table in tables), head)


async def test_a_database_that_knows_every_erasure_is_left_alone(oblivion: Oblivion) -> None:
    rig = oblivion.rig
    ref, _ = await rig.customers(2)
    assert oblivion.restoring.replay() == Restored()
    await oblivion.forget(ref)
    assert oblivion.restoring.replay() == Restored()
    assert not oblivion.restoring.replay().is_needed


async def test_an_older_database_forgets_again_and_everybody_else_gets_the_newer_key(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    older = [row_of(rig, one) for one in (ref, other)]
    await oblivion.forget(ref)
    bring_back(rig, *older)
    with pytest.raises(KeyUnavailableError):
        rig.keyring.source_key(row_of(rig, other))
    restored = oblivion.restoring.replay()
    assert restored == Restored(erasures=1, rewrapped=1)
    assert rig.keyring.source_key(row_of(rig, other)) == "2"
    assert row_of(rig, ref).wrapped_key is None
    assert await rig.committer.run(lambda tx: note_restored(tx, rig.clock)) == 1
    assert await rig.committer.run(lambda tx: note_restored(tx, rig.clock)) == 0
    (noted,) = [e for e in rig.log() if e.kind is EntryKind.RESTORED]
    assert noted.event.body["keys"] == [key_id(TENANT, ref)]
    assert await oblivion.shredding.turn() == 1
    (row,) = await oblivion.erasures.list(AUDITOR)
    assert (row.state, row.is_noted, row.ground) == (ErasureState.DONE, True, "replayed")
    assert oblivion.restoring.replay() == Restored()
    answer = await rig.broker.view(AGENT, rig.asks(ref))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
    assert isinstance(await rig.broker.view(AGENT, rig.asks(other, await rig.case(other))), Served)


async def test_database_and_keys_of_one_older_backup_forget_again_too(
    oblivion: Oblivion, tmp_path: Path
) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    older = [row_of(rig, one) for one in (ref, other)]
    shutil.copytree(tmp_path / "keys", tmp_path / "keys-backup")
    await oblivion.forget(ref)
    bring_back(rig, *older)
    shutil.rmtree(tmp_path / "keys")
    shutil.copytree(tmp_path / "keys-backup", tmp_path / "keys")
    rig.keyring.refresh()
    assert rig.keyring.source_key(row_of(rig, ref)) == "1"
    assert oblivion.restoring.replay() == Restored(erasures=1)
    assert await oblivion.shredding.turn() == 1
    keyring = Keyring.open(
        (tmp_path / "keys" / "root.key").as_uri(), tmp_path / "keys" / "keyring.json"
    )
    with pytest.raises(KeyUnavailableError):
        keyring.customer_key(older[0])
    assert keyring.source_key(row_of(rig, other)) == "2"


async def test_a_restore_without_the_erasures_file_reads_the_published_log(
    oblivion: Oblivion, tmp_path: Path
) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    asked_only = other
    older = [row_of(rig, one) for one in (ref, other)]
    shutil.copytree(tmp_path / "keys", tmp_path / "keys-backup")
    head = rig.log()[-1].index + 1
    answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    assert isinstance(answer, Served)
    await oblivion.forget(ref)
    await oblivion.erasures.propose(ANALYST, asked_only, ErasureGround.CHILD, "asked")
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
    truncate(rig, head, *older)
    shutil.rmtree(tmp_path / "keys")
    shutil.copytree(tmp_path / "keys-backup", tmp_path / "keys")
    rig.keyring.refresh()
    (tmp_path / "erasures").unlink()
    restored = oblivion.restoring.replay()
    assert restored == Restored(erasures=1)
    assert row_of(rig, ref).wrapped_key is None
    assert row_of(rig, asked_only).wrapped_key is not None


async def test_published_erasures_of_nobody_here_are_counted(
    oblivion: Oblivion, tmp_path: Path
) -> None:
    rig = oblivion.rig
    (ref, other) = await rig.customers(2)
    older = [row_of(rig, one) for one in (ref, other)]
    head = rig.log()[-1].index + 1
    await oblivion.forget(ref)
    await rig.publisher.publish_once(rig.readers, rig.committer, rig.clock.now())
    truncate(rig, head, *older)
    (tmp_path / "erasures").unlink()
    # The keys are today's: what was erased opens no more, so nothing can be found and nothing read.
    assert oblivion.restoring.replay() == Restored(rewrapped=1, unnamed=1, unreadable=1)


async def test_what_was_forgotten_before_and_after_a_restore_is_explained(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    older = [row_of(rig, one) for one in (ref, other)]
    done = await oblivion.forget(ref)
    bring_back(rig, *older)
    oblivion.restoring.replay()
    await rig.committer.run(lambda tx: note_restored(tx, rig.clock))
    log = rig.log()
    followed = Forgotten()
    for one in log:
        if one.entry_id != done.receipt.entry_id:
            followed.follow(one)
    with rig.store.read() as view:
        read = Forgotten.read(view, rig.vault, [TENANT, "nobody"])
    for forgotten in (followed, read):
        assert forgotten.may_lack_subject(TENANT, ref, 5)
        assert not forgotten.may_lack_subject(TENANT, other, 5)
        assert not forgotten.may_lack_subject("other", ref, 5)
        assert not forgotten.may_lack_event(5)
