import os
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import DurabilityError, ForkError, StoreUnavailableError
from guard.ledger import high_water
from guard.ledger import publisher as module
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from guard.ledger.cosigning import Cosigner
from guard.ledger.merkle import EMPTY_ROOT, CompactRange, leaf_hash
from guard.ledger.note import NoteSigner, open_note, parse_note, signed_by
from guard.ledger.publisher import REFRESH_S, Publisher, Signed
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


def test_to_examine_a_store_signs_nothing_and_refuses_another_history(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKLOG", 10)
    log.grow(4)
    publish(make(tmp_path), store)
    note = store.note
    log.grow(25)
    one = make(tmp_path)
    for _ in range(4):
        one.examine(store.view())
    assert (tmp_path / "mark" / "high").read_bytes() == store.note == note
    forged = LogView(LogMaker(tmp_path / "b").grow(9).entries)
    forged.note = note
    with pytest.raises(ForkError, match="do not hash to the head"):
        make(tmp_path).examine(forged.view())
    while publish(one, store) is None:
        pass
    assert verify_files(tmp_path / "log", SIGNER.vkey).size == 25


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
        patch.setattr(high_water, "replace_file", fail)
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


def test_a_stored_checkpoint_that_lost_tiles_cannot_show_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    for size in (5, 300):
        log.grow(size)
        publish(make(tmp_path), store)
    store.note = sign_checkpoint(Checkpoint("example.com/log", 5, log_root(log, 5)), SIGNER)
    # Of the tree of 300 the edge is still there, and what the tree of 5 hangs on is not.
    (tmp_path / "log" / "tile" / "0" / "000").unlink()
    _refused(make(tmp_path), store, "cannot be compared")


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
        with pytest.raises(DurabilityError):
            make(tmp_path).prepare(store.view())
    assert not (tmp_path / "mark" / "high").exists()


class Seat:
    """The right to publish, as one of several brokers has it or not."""

    def __init__(self, store: LogView, *, is_mine: bool = True) -> None:
        self._store, self.is_mine, self.is_lost = store, is_mine, False
        self.asked = self.released = 0

    def hold(self) -> bool:
        self.asked += 1
        return self.is_mine

    def confirm(self) -> None:
        if self.is_lost:
            raise StoreUnavailableError("another broker publishes the log now")

    def put_checkpoint(self, size: int, root: bytes, note: bytes, at: int) -> None:
        self.confirm()
        self._store.put_checkpoint(size, root, note, at)

    def release(self) -> None:
        self.released += 1


def beside(folder: Path, seat: Seat, mark: Path | None = None) -> Publisher:
    return Publisher(SIGNER, log_dir=folder / "log", high_water=mark or folder / "high", right=seat)


async def turn(one: Publisher, store: LogView) -> bytes | None:
    return await one.publish_once(store.readers(), store.committer(), NOW)


@pytest.mark.anyio
async def test_who_has_not_the_right_follows_and_takes_over(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    seats = Seat(store), Seat(store, is_mine=False)
    one, two = (beside(tmp_path / name, seat) for name, seat in zip("ab", seats, strict=True))
    assert await turn(two, store) is None
    for size in (3, 300, 700):
        log.grow(size)
        assert await turn(one, store) == store.note
        assert await turn(two, store) is None
        assert await turn(two, store) is None
        for name in "ab":
            assert verify_files(tmp_path / name / "log", SIGNER.vkey).size == size
            assert (tmp_path / name / "high").read_bytes() == store.note
    log.grow(900)
    await turn(one, store)
    log.grow(901)
    # It takes over before it has followed the last checkpoint, and still continues it.
    seats[0].is_mine, seats[1].is_mine = False, True
    assert await turn(two, store) == store.note
    assert await turn(one, store) is None
    assert verify_files(tmp_path / "a" / "log", SIGNER.vkey).size == 901
    one.release()
    await two.keep()
    assert (seats[0].released, seats[1].asked) == (1, 9)
    alone = make(tmp_path / "c")
    await alone.keep()
    alone.release()


@pytest.mark.anyio
async def test_long_backlogs_are_followed_in_steps(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 50)
    monkeypatch.setattr(module, "BACKLOG", 100)
    one, late = beside(tmp_path / "a", Seat(store)), Seat(store, is_mine=False)
    two = beside(tmp_path / "b", late)
    two.examine(store.view())
    log.grow(350)
    assert await turn(one, store) is not None
    log.grow(600)
    late.is_mine = True
    assert await turn(two, store) == store.note
    assert verify_files(tmp_path / "b" / "log", SIGNER.vkey).size == 600


def test_who_lost_the_right_signs_nothing(tmp_path: Path, log: LogMaker, store: LogView) -> None:
    seat = Seat(store)
    one = beside(tmp_path, seat)
    log.grow(5)
    seat.is_lost = True
    with pytest.raises(StoreUnavailableError):
        one.prepare(store.view())
    assert not (tmp_path / "high").exists()


@pytest.mark.anyio
async def test_publishers_that_share_a_folder_never_set_it_back(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    seats = Seat(store), Seat(store)
    one, two = (beside(tmp_path, seat) for seat in seats)
    log.grow(4)
    assert await turn(one, store) is not None
    two.examine(store.view())
    log.grow(6)
    old = store.view().head()
    behind = LogView(log.entries[:5])
    behind.note = store.note
    assert await turn(one, store) is not None
    assert old[0] == 6
    # Two had the right for a moment, and has not seen the newest entry.
    with pytest.raises(StoreUnavailableError, match="has signed more"):
        two.prepare(behind.view())
    assert (tmp_path / "high").read_bytes() == store.note
    two.finish(
        Signed(
            4,
            log_root(log, 4),
            sign_checkpoint(Checkpoint("example.com/log", 4, log_root(log, 4)), SIGNER),
        )
    )
    assert (tmp_path / "log" / "checkpoint").read_bytes() == store.note
    log.grow(8)
    assert await turn(two, store) == store.note


@pytest.mark.anyio
async def test_a_second_publisher_of_another_history_is_refused_on_both_sides(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    one, two = (beside(tmp_path / name, Seat(store)) for name in "ab")
    log.grow(4)
    await turn(one, store)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "high").write_bytes(store.note or b"")
    other = LogView(LogMaker(tmp_path / "other").grow(6).entries)
    other.note = store.note
    # A promoted copy that lacks the newest rows, or has others.
    with pytest.raises(ForkError):
        await turn(two, other)
    forged = LogView(LogMaker(tmp_path / "third").grow(9).entries)
    await turn(beside(tmp_path / "x", Seat(forged)), forged)
    log.grow(9)
    store.note = forged.note
    for publisher in (one, beside(tmp_path / "b", Seat(store, is_mine=False))):
        with pytest.raises(ForkError):
            await turn(publisher, store)


def test_a_stored_checkpoint_that_another_key_signed_is_refused(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    log.grow(5)
    publish(make(tmp_path), store)
    stranger = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    store.note = sign_checkpoint(Checkpoint("example.com/log", 5, log_root(log, 5)), stranger)
    _refused(make(tmp_path), store, "cannot be compared")
    swapped = Publisher(stranger, log_dir=tmp_path / "log", high_water=tmp_path / "mark" / "high")
    with pytest.raises(ForkError, match="cannot be resumed"):
        swapped.prepare(store.view())


def test_lost_files_are_made_anew_from_entries_that_hash_to_the_mark(
    tmp_path: Path, log: LogMaker, store: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 100)
    monkeypatch.setattr(module, "BACKLOG", 200)
    log.grow(500)
    one = make(tmp_path)
    while publish(one, store) is None:
        pass
    rmtree(tmp_path / "log")
    log.grow(501)
    forged = LogView([*log.entries[:7], *LogMaker(tmp_path / "b").grow(501).entries[7:]])
    forged.note, forged.forged_head = store.note, store.head()
    other = make(tmp_path)
    assert other.prepare(forged.view()) is None
    assert other.prepare(forged.view()) is None
    with pytest.raises(ForkError, match="do not hash"):
        other.prepare(forged.view())
    again = make(tmp_path)
    while publish(again, store) is None:
        pass
    assert verify_files(tmp_path / "log", SIGNER.vkey).size == 501


@pytest.mark.anyio
async def test_a_silent_log_is_published_again_and_a_replayed_file_is_put_right(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    now = [100.0]
    one = Publisher(
        SIGNER, log_dir=tmp_path / "log", high_water=tmp_path / "high", mono=lambda: now[0]
    )
    log.grow(3)
    old = await turn(one, store)
    log.grow(5)
    newest = await turn(one, store)
    assert await turn(one, store) is None
    published = tmp_path / "log" / "checkpoint"
    for content in (old, None, b"nonsense"):
        if content is None:
            published.unlink()
        else:
            published.write_bytes(content)
        assert await turn(one, store) == newest == published.read_bytes()
    now[0] += REFRESH_S - 1
    assert await turn(one, store) is None
    now[0] += 1
    assert await turn(one, store) == newest
    assert await turn(one, store) is None
    again = Publisher(SIGNER, log_dir=tmp_path / "log", high_water=tmp_path / "high")
    assert await turn(again, store) == newest
    assert REFRESH_S < 600


class Quorum:
    """Stands in for witnesses: says yes or no as the test wants."""

    def __init__(self) -> None:
        self.agrees, self.asked = True, list[bytes]()

    async def collect(self, note: bytes) -> bytes | None:
        self.asked.append(note)
        return note + WITNESS.cosign(parse_note(note).text, 7).encode() if self.agrees else None

    def believes(self, note: bytes) -> bool:
        return bool(signed_by(parse_note(note), [WITNESS.cosigner]))


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
    assert store.note == (tmp_path / "mark" / "high").read_bytes()
    assert published.read_bytes() == first
    assert open_note(first, [WITNESS.cosigner]) == parse_note(store.note or b"").text
    assert open_checkpoint(first, SIGNER.verifier).size == 3
    quorum.agrees = False
    assert await turn(5) is None
    second = store.note
    assert open_checkpoint(second or b"", SIGNER.verifier).size == 5
    assert published.read_bytes() == first
    assert await turn(5) is None
    quorum.agrees = True
    assert await turn(5) == published.read_bytes()
    assert quorum.asked[1:] == [second, second, second]
    assert open_note(published.read_bytes(), [WITNESS.cosigner]) == parse_note(second or b"").text
    assert await turn(5) is None
    assert len(quorum.asked) == 4
    # A restart goes on from the mark, whatever the file says.
    again = make(tmp_path)
    assert again.prepare(store.view()) is None


@pytest.mark.anyio
async def test_who_follows_publishes_what_the_holders_witnesses_gave(
    tmp_path: Path, log: LogMaker, store: LogView
) -> None:
    quorum, asked_by_two = Quorum(), Quorum()
    seats = Seat(store), Seat(store, is_mine=False)
    one, two = (
        Publisher(
            SIGNER,
            log_dir=tmp_path / name / "log",
            high_water=tmp_path / name / "high",
            right=seat,
            cosigner=cast("Cosigner", witnesses),
        )
        for name, seat, witnesses in zip("ab", seats, (quorum, asked_by_two), strict=True)
    )
    files = [tmp_path / name / "log" / "checkpoint" for name in "ab"]
    assert await turn(two, store) is None
    log.grow(3)
    first = await turn(one, store)
    assert await turn(two, store) is None
    assert [file.read_bytes() for file in files] == [first, first]
    quorum.agrees = False
    log.grow(300)
    assert await turn(one, store) is None
    assert await turn(two, store) is None
    assert [file.read_bytes() for file in files] == [first, first]
    assert asked_by_two.asked == []
    # The follower takes over, and asks for what the other did not get; nothing is signed again.
    seats[0].is_mine, seats[1].is_mine = False, True
    second = await turn(two, store)
    assert second is not None
    assert open_checkpoint(second, SIGNER.verifier).size == 300
    assert await turn(one, store) is None
    assert [file.read_bytes() for file in files] == [second, second]
    # Cosigned notes are the same checkpoint to who signs next.
    assert await turn(two, store) is None
    log.grow(301)
    assert open_checkpoint(await turn(two, store) or b"", SIGNER.verifier).size == 301
