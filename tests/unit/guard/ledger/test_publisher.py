import os
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import ForkError
from guard.ledger import publisher as module
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from guard.ledger.cosigning import Cosigner
from guard.ledger.merkle import EMPTY_ROOT, CompactRange, leaf_hash
from guard.ledger.note import NoteSigner, open_note, parse_note
from guard.ledger.publisher import Publisher, Signed
from guard.ledger.verify import verify_files
from tests.support.witnesses import make_signer
from tests.unit.guard.ledger.logview import LogView
from tests.unit.guard.ledger.makers import NOW, LogMaker

SIGNER = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WITNESS = make_signer("w.example/1", 7)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(log: LogMaker) -> LogView:
    return LogView(log.entries)


def make(tmp_path: Path) -> Publisher:
    return Publisher(SIGNER, log_dir=tmp_path / "log", high_water=tmp_path / "mark" / "high")


def publish(one: Publisher, store: LogView) -> Signed | None:
    signed = one.prepare(store.view())
    if signed is not None:
        store.put_checkpoint(signed.size, signed.root, signed.note, NOW)
        one.finish(signed)
    return signed


def test_what_is_new_is_signed_and_published(tmp_path: Path, log: LogMaker, store: LogView) -> None:
    one = make(tmp_path)
    for size in (1, 2, 300, 700):
        log.grow(size)
        signed = publish(one, store)
        assert signed is not None
        assert signed.size == size
        note = (tmp_path / "log" / "checkpoint").read_bytes()
        assert note == store.note == (tmp_path / "mark" / "high").read_bytes()
        assert open_checkpoint(note, SIGNER.verifier).root == signed.root
        assert verify_files(tmp_path / "log", SIGNER.vkey).size == size
        assert publish(one, store) is None


def test_the_empty_log_is_signed_once(tmp_path: Path, store: LogView) -> None:
    one = make(tmp_path)
    signed = publish(one, store)
    assert signed is not None
    assert (signed.size, signed.root) == (0, EMPTY_ROOT)
    assert publish(one, store) is None
    assert publish(make(tmp_path), store) is None


@pytest.mark.anyio
async def test_publish_once_stores_before_it_publishes(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(3)
    one = make(tmp_path)
    note = await one.publish_once(store.readers(), store.committer(), NOW)
    assert note == store.note == (tmp_path / "log" / "checkpoint").read_bytes()
    assert await one.publish_once(store.readers(), store.committer(), NOW) is None


def test_a_restart_goes_on_from_the_files(tmp_path: Path, log: LogMaker, store: LogView) -> None:
    for size in (1, 5, 255, 256, 300, 520):
        log.grow(size)
        assert publish(make(tmp_path), store) is not None
        assert publish(make(tmp_path), store) is None
    assert verify_files(tmp_path / "log", SIGNER.vkey).size == 520


def test_a_crash_before_the_commit_gives_the_same_bytes_again(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(5)
    lost = make(tmp_path).prepare(store.view())
    assert lost is not None
    assert publish(make(tmp_path), store) == lost
    log.grow(6)
    make(tmp_path).prepare(store.view())
    log.grow(300)
    signed = publish(make(tmp_path), store)
    assert signed is not None
    assert signed.size == 300


def test_a_crash_before_the_high_water_mark_signs_anew(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make(tmp_path)
    log.grow(5)
    publish(one, store)
    log.grow(600)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "replace_file", fail)
        with pytest.raises(OSError, match="No space"):
            one.prepare(store.view())
    for again in (one, make(tmp_path)):
        signed = again.prepare(store.view())
        assert signed is not None
        assert signed.size == 600


def test_large_backlogs_are_read_in_chunks(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 100)
    log.grow(601)
    signed = publish(make(tmp_path), store)
    assert signed is not None
    assert signed.size == 601


@pytest.mark.anyio
async def test_a_long_backlog_is_worked_off_in_steps(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 50)
    monkeypatch.setattr(module, "BACKLOG", 100)
    log.grow(350)
    one = make(tmp_path)
    assert one.prepare(store.view()) is None
    assert not (tmp_path / "mark" / "high").exists()
    assert await one.publish_once(store.readers(), store.committer(), NOW) == store.note
    assert verify_files(tmp_path / "log", SIGNER.vkey).size == 350


def test_what_was_read_ahead_is_dropped_with_a_refusal(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKLOG", 10)
    log.grow(15)
    one = make(tmp_path)
    forged = LogView(LogMaker(tmp_path / "b").grow(15).entries)
    forged.forged_head = store.head()
    assert one.prepare(forged.view()) is None
    _refused(one, forged, "do not hash to the head")
    assert one.prepare(store.view()) is None
    assert publish(one, store) is not None
    assert verify_files(tmp_path / "log", SIGNER.vkey).size == 15


def _refused(one: Publisher, store: LogView, why: str) -> None:
    with pytest.raises(ForkError, match=why):
        one.prepare(store.view())


def test_a_restored_backup_is_refused(tmp_path: Path, log: LogMaker, store: LogView) -> None:
    log.grow(300)
    publish(make(tmp_path), store)
    backup = LogView(log.entries[:299])
    for note in (store.note, None):
        backup.note = note
        _refused(make(tmp_path), backup, "299 entries and does not continue the 300")


def test_another_history_of_the_same_size_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(20)
    publish(make(tmp_path), store)
    other = LogView([*log.entries[:10], *LogMaker(tmp_path / "b").grow(20).entries[10:]])
    other.note = store.note
    _refused(make(tmp_path), other, "does not continue")


def test_another_history_that_is_longer_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(20)
    publish(make(tmp_path), store)
    other = LogView(LogMaker(tmp_path / "b").grow(30).entries)
    other.note = store.note
    _refused(make(tmp_path), other, "do not hash to the head")


def test_after_a_refusal_the_honest_store_goes_on(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    one = make(tmp_path)
    log.grow(300)
    publish(one, store)
    forged = LogView([*log.entries, *LogMaker(tmp_path / "b").grow(600).entries[300:]])
    forged.note = store.note
    forged.forged_head = LogView(LogMaker(tmp_path / "c").grow(600).entries).head()
    _refused(one, forged, "do not hash to the head")
    log.grow(700)
    assert publish(one, store) is not None
    assert publish(make(tmp_path), store) is None
    assert verify_files(tmp_path / "log", SIGNER.vkey).size == 700


def test_a_bit_that_flips_between_commit_and_signature_is_found(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    one = make(tmp_path)
    log.grow(10)
    publish(one, store)
    log.grow(20)
    honest = log.entries[15]
    leaf = bytes([*honest.leaf[:-1], honest.leaf[-1] ^ 1])
    for changed in (
        replace(honest, leaf=leaf),
        replace(honest, leaf=leaf, leaf_hash=leaf_hash(leaf)),
        replace(honest, index=16),
        replace(honest, sealed_event=None),
        replace(honest, sealed_event=log.entries[14].sealed_event),
    ):
        log.entries[15] = changed
        _refused(one, store, "entry 15")
    log.entries[15] = honest
    assert publish(one, store) is not None


def test_rows_that_are_gone_are_found(tmp_path: Path, log: LogMaker, store: LogView) -> None:
    log.grow(20)
    head = store.head()
    gone = LogView(log.entries[:15])
    gone.forged_head = head
    _refused(make(tmp_path), gone, "from 15 on are missing")
    gone.held = [*log.entries[:15], *log.entries[16:]]
    _refused(make(tmp_path), gone, "entry 15 is missing")
    gone.held, gone.forged_head = log.entries, (20, head[1][:-1])
    _refused(make(tmp_path), gone, "head of the store is damaged")


def test_a_missing_high_water_mark_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(5)
    publish(make(tmp_path), store)
    mark = tmp_path / "mark" / "high"
    note = mark.read_bytes()
    mark.unlink()
    _refused(make(tmp_path), store, "missing though")
    store.note = None
    _refused(make(tmp_path), store, "missing though")
    mark.write_bytes(note)
    assert publish(make(tmp_path), store) is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x\n\n",
        sign_checkpoint(Checkpoint("example.com/other", 0, EMPTY_ROOT), SIGNER),
        sign_checkpoint(
            Checkpoint("example.com/log", 0, EMPTY_ROOT),
            NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(32))),
        ),
        sign_checkpoint(Checkpoint("example.com/log", 4, b"r" * 32), SIGNER),
        sign_checkpoint(Checkpoint("example.com/log", 5, b"r" * 32), SIGNER),
        sign_checkpoint(Checkpoint("example.com/log", 600, b"r" * 32), SIGNER),
    ],
    ids=["empty", "no note", "other log", "other key", "not published", "other root", "ahead"],
)
def test_a_high_water_mark_that_does_not_fit_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView, content: bytes
) -> None:
    log.grow(5)
    publish(make(tmp_path), store)
    (tmp_path / "mark" / "high").write_bytes(content)
    with pytest.raises(ForkError):
        make(tmp_path).prepare(store.view())


def test_a_stored_checkpoint_of_another_history_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(5)
    publish(make(tmp_path), store)
    log.grow(9)
    publish(make(tmp_path), store)
    good = store.note
    for note in (
        b"garbage",
        sign_checkpoint(Checkpoint("example.com/log", 10, b"r" * 32), SIGNER),
        sign_checkpoint(Checkpoint("example.com/log", 9, b"r" * 32), SIGNER),
        sign_checkpoint(Checkpoint("example.com/log", 5, b"r" * 32), SIGNER),
    ):
        store.note = note
        with pytest.raises(ForkError):
            make(tmp_path).prepare(store.view())
    for size, root in ((0, EMPTY_ROOT), (5, log_root(log, 5))):
        store.note = sign_checkpoint(Checkpoint("example.com/log", size, root), SIGNER)
        signed = make(tmp_path).prepare(store.view())
        assert signed is not None
        assert signed.note == good


def log_root(log: LogMaker, size: int) -> bytes:
    view = LogView(log.entries[:size])
    return CompactRange(*view.head()).root()


def test_a_disk_that_fails_signs_nothing(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.grow(5)

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            make(tmp_path).prepare(store.view())
    assert not (tmp_path / "mark" / "high").exists()


class Quorum:
    """Stands in for witnesses: says yes or no as the test wants."""

    def __init__(self) -> None:
        self.agrees, self.asked = True, list[bytes]()

    async def collect(self, note: bytes) -> bytes | None:
        self.asked.append(note)
        return note + WITNESS.cosign(parse_note(note).text, 7).encode() if self.agrees else None


@pytest.mark.anyio
async def test_only_what_a_quorum_cosigned_is_published(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    quorum, published = Quorum(), tmp_path / "log" / "checkpoint"
    one = Publisher(
        SIGNER,
        log_dir=tmp_path / "log",
        high_water=tmp_path / "mark" / "high",
        cosigner=cast("Cosigner", quorum),
    )

    async def turn(size: int) -> bytes | None:
        log.grow(size)
        return await one.publish_once(store.readers(), store.committer(), NOW)

    first = await turn(3)
    assert first is not None
    # The store and the mark keep what the log signed; outsiders see what witnesses cosigned.
    assert first == store.note == (tmp_path / "mark" / "high").read_bytes()
    cosigned = published.read_bytes()
    assert open_note(cosigned, [WITNESS.cosigner]) == parse_note(first).text
    assert open_checkpoint(cosigned, SIGNER.verifier).size == 3
    quorum.agrees = False
    second = await turn(5)
    assert second == store.note
    assert published.read_bytes() == cosigned
    assert await turn(5) is None
    quorum.agrees = True
    assert await turn(5) is None
    assert quorum.asked == [first, second, second, second]
    assert open_note(published.read_bytes(), [WITNESS.cosigner]) == parse_note(second or b"").text
    assert await turn(5) is None
    assert len(quorum.asked) == 4
    # A restart goes on from the mark, whatever the file says.
    again = make(tmp_path)
    assert again.prepare(store.view()) is None
