import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.entries import EntryKind, Receipt, StoredEntry
from guard.errors import ProofError
from guard.ledger import verify as module
from guard.ledger.anchors import Stamps
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.entry import Leaf, decode_leaf, encode_leaf
from guard.ledger.merkle import EMPTY_ROOT, CompactRange, leaf_hash, tree_root
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.publisher import Publisher
from guard.ledger.tiles import TileEdge, TileFolder
from guard.ledger.trust import parse_policy
from guard.ledger.verify import verify_files, verify_log
from tests.support.witnesses import make_signer
from tests.unit.guard.ledger.logview import LogView
from tests.unit.guard.ledger.makers import NOW, LogMaker, make_entry

SIGNER = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def signed(entries: list[StoredEntry]) -> bytes:
    root = tree_root(entry.leaf_hash for entry in entries)
    return sign_checkpoint(Checkpoint("example.com/log", len(entries), root), SIGNER)


def test_an_honest_log_holds(log: LogMaker) -> None:
    log.grow(40)
    view = LogView(log.entries)
    report = verify_log(
        log.entries, checkpoint=signed(log.entries), vkey=SIGNER.vkey, head=view.head()
    )
    assert (report.size, report.signed_size, report.writers, report.erased) == (40, 40, 1, 0)
    assert report.root == tree_root(entry.leaf_hash for entry in log.entries)


def test_entries_after_the_checkpoint_may_follow(log: LogMaker) -> None:
    log.grow(40)
    report = verify_log(log.entries, checkpoint=signed(log.entries[:30]), vkey=SIGNER.vkey)
    assert (report.size, report.signed_size) == (40, 30)
    empty = sign_checkpoint(Checkpoint("example.com/log", 0, EMPTY_ROOT), SIGNER)
    assert verify_log(log.entries, checkpoint=empty, vkey=SIGNER.vkey).signed_size == 0


def test_the_empty_log_holds() -> None:
    report = verify_log([])
    assert (report.size, report.root, report.signed_size) == (0, EMPTY_ROOT, None)


def test_an_erased_part_is_counted_and_breaks_nothing(log: LogMaker) -> None:
    log.grow(10)
    part = log.entries[4].sealed_subjects[0] or b""
    changed = [*log.entries]
    changed[4] = replace(changed[4], sealed_subjects=(part[:32],))
    report = verify_log(changed, checkpoint=signed(log.entries), vkey=SIGNER.vkey)
    assert report.erased == 1


def test_progress_is_told(log: LogMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_EVERY", 4)
    told: list[int] = []
    verify_log(log.grow(10).entries, on_progress=told.append)
    assert told == [4, 8, 10]


def _refused(entries: list[StoredEntry], index: int | None, note: bytes | None = None) -> None:
    with pytest.raises(ProofError) as caught:
        verify_log(entries, checkpoint=note, vkey=SIGNER.vkey)
    assert caught.value.index == index, str(caught.value)


def test_a_flip_in_any_column_is_found_at_its_entry(log: LogMaker) -> None:
    log.grow(12)
    honest = log.entries[7]

    def flip(one: bytes | None, at: int) -> bytes:
        whole = one or b""
        return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]

    for at in range(0, 90, 3):
        bad = [*log.entries]
        bad[7] = replace(honest, leaf=flip(honest.leaf, at))
        _refused(bad, 7)
    for at in range(32):
        bad = [*log.entries]
        bad[7] = replace(honest, leaf_hash=flip(honest.leaf_hash, at))
        _refused(bad, 7)
        bad[7] = replace(honest, sealed_event=flip(honest.sealed_event, at))
        _refused(bad, 7)
        bad[7] = replace(honest, sealed_subjects=(flip(honest.sealed_subjects[0], at),))
        _refused(bad, 7)


def test_lost_repeated_and_reordered_entries_are_found(log: LogMaker) -> None:
    log.grow(12)
    note, entries = signed(log.entries), log.entries
    _refused([*entries[:7], *entries[8:]], 7, note)
    _refused([*entries[:7], *_renumbered(entries[8:], 7)], 7, note)
    _refused([*entries[:8], *_renumbered(entries[7:], 8)], 8, note)
    _refused([*entries[:7], *_renumbered([entries[8], entries[7]], 7), *entries[9:]], 7, note)
    _refused(entries[:11], 11, note)
    _refused([], 0, note)
    _refused(entries[1:], 0, note)


def _renumbered(entries: list[StoredEntry], start: int) -> list[StoredEntry]:
    return [replace(entry, index=n) for n, entry in enumerate(entries, start)]


def test_lost_parts_are_found(log: LogMaker) -> None:
    log.grow(5)
    for changed in (
        replace(log.entries[2], sealed_event=None),
        replace(log.entries[2], sealed_subjects=(None,)),
        replace(log.entries[2], sealed_subjects=()),
        replace(log.entries[2], sealed_subjects=(), refs=()),
    ):
        _refused([*log.entries[:2], changed, *log.entries[3:]], 2)


def _rewritten(entry: StoredEntry, change: Callable[[Leaf], Leaf]) -> StoredEntry:
    leaf = encode_leaf(change(decode_leaf(entry.leaf)))
    return replace(entry, leaf=leaf, leaf_hash=leaf_hash(leaf))


def test_a_writer_that_tells_no_straight_story_is_found(log: LogMaker) -> None:
    log.grow(8)
    stories: list[tuple[int, Callable[[Leaf], Leaf]]] = [
        (0, lambda leaf: replace(leaf, kind=EntryKind.VIEW)),
        (0, lambda leaf: replace(leaf, writer_seq=1)),
        (4, lambda leaf: replace(leaf, kind=EntryKind.WRITER_OPEN)),
        (4, lambda leaf: replace(leaf, writer_seq=0)),
        (4, lambda leaf: replace(leaf, writer_seq=5)),
        (4, lambda leaf: replace(leaf, writer_seq=3)),
        (4, lambda leaf: replace(leaf, at=NOW)),
        (4, lambda leaf: replace(leaf, writer=b"stranger")),
    ]
    for index, change in stories:
        bad = [*log.entries]
        bad[index] = _rewritten(bad[index], change)
        _refused(bad, index)
    closed = [*log.entries]
    closed[4] = _rewritten(closed[4], lambda leaf: replace(leaf, kind=EntryKind.WRITER_CLOSE))
    _refused(closed, 5)


def _without(log: LogMaker, *numbers: int) -> list[StoredEntry]:
    """As if these had been deleted before they had a place."""
    return _renumbered([entry for n, entry in enumerate(log.entries) if n not in numbers], 0)


def test_a_gap_that_no_entry_tells_is_found_at_what_follows_it(log: LogMaker) -> None:
    log.grow(8)
    _refused(_without(log, 3, 4), 3)
    _refused(_without(log, 0), 0)
    _refused(_without(log, 3), 3, signed(_without(log, 5)))
    untold_first = _without(log, 3)
    untold_first[5] = _rewritten(untold_first[5], lambda leaf: replace(leaf, writer_seq=1))
    _refused(untold_first, 3)


def test_each_gap_needs_an_entry_of_its_own_behind_it(log: LogMaker) -> None:
    log.grow(3)
    log.add(make_entry(EntryKind.GAP, NOW + 3))
    log.grow(9)
    _refused(_without(log, 5), 5)
    log.add(make_entry(EntryKind.GAP, NOW + 10))
    report = verify_log(_without(log, 5))
    assert (report.gaps, report.size) == (1, 9)
    _refused(_without(log, 5, 7), 6)
    log.add(make_entry(EntryKind.GAP, NOW + 11))
    assert verify_log(_without(log, 5, 7)).gaps == 2


def test_a_gap_is_found_in_the_published_files(log: LogMaker, tmp_path: Path) -> None:
    log.grow(6)
    told = make_entry(EntryKind.GAP, NOW + 7)
    log.add(told)
    for entries, is_told in ((_without(log, 2, 6), False), (_without(log, 2), True)):
        one = Publisher(SIGNER, log_dir=tmp_path / "log", high_water=tmp_path / "high")
        made = one.prepare(LogView(entries).view())
        assert made is not None
        one.finish(made)
        if is_told:
            assert verify_files(tmp_path / "log", SIGNER.vkey).gaps == 1
        else:
            with pytest.raises(ProofError) as caught:
                verify_files(tmp_path / "log", SIGNER.vkey)
            assert caught.value.index == 2


def test_a_writer_may_follow_another(log: LogMaker, tmp_path: Path) -> None:
    log.grow(4)
    log.add(make_entry(EntryKind.WRITER_CLOSE, NOW + 9))
    second = LogMaker(tmp_path, b"writer-2").grow(3).entries
    assert verify_log([*log.entries, *_renumbered(second, 5)]).writers == 2


def test_a_rewritten_history_does_not_have_the_signed_root(log: LogMaker) -> None:
    log.grow(8)
    bad = [*log.entries]
    bad[3] = _rewritten(bad[3], lambda leaf: replace(leaf, tag=bytes(16)))
    verify_log(bad)
    _refused(bad, None, signed(log.entries))


def test_a_checkpoint_needs_a_key_and_a_head_must_fit(log: LogMaker) -> None:
    log.grow(4)
    with pytest.raises(ProofError, match="verifier key"):
        verify_log(log.entries, checkpoint=signed(log.entries))
    size, hashes = LogView(log.entries).head()
    for head in ((size, ()), (3, hashes), (size, (bytes(32),))):
        with pytest.raises(ProofError, match="head of the store"):
            verify_log(log.entries, head=head)


def test_receipts_must_be_kept(log: LogMaker) -> None:
    log.grow(6)

    def receipt(index: int, entry: StoredEntry) -> Receipt:
        leaf = decode_leaf(entry.leaf)
        return Receipt(
            entry_id=leaf.entry_id.hex(),
            index=index,
            writer=leaf.writer.hex(),
            writer_seq=leaf.writer_seq,
            leaf_hash=entry.leaf_hash.hex(),
            signature="",
        )

    kept = [receipt(n, log.entries[n]) for n in (1, 5)]
    assert verify_log(log.entries, receipts=kept).receipts == 2
    for bad in (
        receipt(2, log.entries[3]),
        receipt(6, log.entries[5]),
        receipt(-1, log.entries[5]),
    ):
        with pytest.raises(ProofError) as caught:
            verify_log(log.entries, receipts=[*kept, bad])
        assert caught.value.index == bad.index
    with pytest.raises(ProofError, match="promised by its writer and is not there"):
        verify_log(log.entries[:5], receipts=kept)


@pytest.fixture
def published(log: LogMaker, tmp_path: Path) -> Path:
    store = LogView(log.grow(600).entries)
    one = Publisher(SIGNER, log_dir=tmp_path / "log", high_water=tmp_path / "high")
    signed = one.prepare(store.view())
    assert signed is not None
    one.finish(signed)
    return tmp_path / "log"


def test_published_files_hold_by_themselves(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROGRESS_EVERY", 256)
    told: list[int] = []
    report = verify_files(published, SIGNER.vkey, on_progress=told.append)
    assert (report.size, report.signed_size, report.writers) == (600, 600, 1)
    assert told == [256, 512, 600]


def _flip_file(path: Path, at: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


@pytest.mark.parametrize(
    ("name", "at", "index"),
    [
        ("tile/0/000", 5 * 32, 5),
        ("tile/0/001", 255 * 32 + 31, 511),
        ("tile/0/002.p/88", 87 * 32, 599),
        ("tile/1/000.p/2", 32, 256),
        ("tile/entries/000", 7 * 92 + 50, 7),
        ("tile/entries/001", 2, 256),
        ("tile/entries/002.p/88", 87 * 92 + 91, 599),
    ],
)
def test_a_flip_in_any_file_is_found_at_its_entry(
    published: Path, name: str, at: int, index: int
) -> None:
    _flip_file(published / name, at)
    with pytest.raises(ProofError) as caught:
        verify_files(published, SIGNER.vkey)
    assert caught.value.index == index


@pytest.mark.parametrize(
    "name", ["checkpoint", "tile/0/000", "tile/1/000.p/2", "tile/entries/001", "tile/0/002.p/88"]
)
def test_a_file_that_is_gone_or_cut_is_found(published: Path, name: str) -> None:
    whole = (published / name).read_bytes()
    (published / name).write_bytes(whole[:-7])
    with pytest.raises(ProofError):
        verify_files(published, SIGNER.vkey)
    (published / name).unlink()
    with pytest.raises(ProofError):
        verify_files(published, SIGNER.vkey)


def test_files_of_another_history_do_not_have_the_signed_root(
    published: Path, tmp_path: Path
) -> None:
    other = LogMaker(tmp_path / "b").grow(600)
    one = Publisher(SIGNER, log_dir=tmp_path / "log2", high_water=tmp_path / "high2")
    signed = one.prepare(LogView(other.entries).view())
    assert signed is not None
    shutil.copy(published / "checkpoint", tmp_path / "log2" / "checkpoint")
    with pytest.raises(ProofError, match="do not have the root"):
        verify_files(tmp_path / "log2", SIGNER.vkey)


def test_the_range_of_a_store_is_that_of_its_leaves(log: LogMaker) -> None:
    log.grow(5)
    size, hashes = LogView(log.entries).head()
    assert CompactRange(size, hashes).root() == verify_log(log.entries).root


def _published_as(entries: list[StoredEntry], folder: Path) -> Path:
    """A log that its own operator wrote wrongly: every hash and the signature hold."""
    files, edge = TileFolder(folder), TileEdge()
    files.write(edge.extend([entry.leaf for entry in entries]))
    files.write(edge.partials())
    files.publish(sign_checkpoint(Checkpoint("example.com/log", edge.size, edge.root()), SIGNER))
    return folder


STORIES: dict[str, tuple[int, Callable[[Leaf], Leaf]]] = {
    "not opened": (0, lambda leaf: replace(leaf, kind=EntryKind.VIEW)),
    "opened twice": (299, lambda leaf: replace(leaf, kind=EntryKind.WRITER_OPEN)),
    "missing": (299, lambda leaf: replace(leaf, writer_seq=leaf.writer_seq + 1)),
    "repeated": (299, lambda leaf: replace(leaf, writer_seq=leaf.writer_seq - 1)),
    "from the beginning": (299, lambda leaf: replace(leaf, writer_seq=0)),
    "back in time": (299, lambda leaf: replace(leaf, at=NOW)),
    "a stranger": (299, lambda leaf: replace(leaf, writer=b"stranger")),
}


@pytest.mark.parametrize(("index", "change"), STORIES.values(), ids=STORIES)
def test_a_wrong_story_is_found_in_files_that_are_hashed_and_signed_well(
    log: LogMaker, tmp_path: Path, index: int, change: Callable[[Leaf], Leaf]
) -> None:
    log.grow(320)
    log.entries[index] = _rewritten(log.entries[index], change)
    with pytest.raises(ProofError, match="writer") as caught:
        verify_files(_published_as(log.entries, tmp_path / "log"), SIGNER.vkey)
    assert caught.value.index == index


def test_a_closed_writer_says_nothing_more_and_another_may_follow_in_the_files(
    log: LogMaker, tmp_path: Path
) -> None:
    log.grow(260)
    log.add(make_entry(EntryKind.WRITER_CLOSE, NOW + 999))
    second = LogMaker(tmp_path, b"writer-2").grow(30).entries
    told = [*log.entries, *second]
    assert verify_files(_published_as(told, tmp_path / "one"), SIGNER.vkey).writers == 2
    told.append(log.add(make_entry(EntryKind.VIEW, NOW + 1000)))
    with pytest.raises(ProofError, match="closed") as caught:
        verify_files(_published_as(told, tmp_path / "two"), SIGNER.vkey)
    assert caught.value.index == 291


UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "unknown version": lambda leaf: b"\x02" + leaf[1:],
    "unknown kind": lambda leaf: leaf[:25] + b"\xff" + leaf[26:],
    "91 bytes": lambda leaf: leaf + b"\x00",
    "89 bytes": lambda leaf: leaf[:-1],
    "version": lambda _leaf: b"",
}


@pytest.mark.parametrize(("what", "change"), UNREADABLE.items(), ids=UNREADABLE)
def test_a_leaf_that_cannot_be_read_is_found_in_files_that_are_signed_well(
    log: LogMaker, tmp_path: Path, change: Callable[[bytes], bytes], what: str
) -> None:
    log.grow(300)
    log.entries[280] = replace(log.entries[280], leaf=change(log.entries[280].leaf))
    with pytest.raises(ProofError, match=what) as caught:
        verify_files(_published_as(log.entries, tmp_path / "log"), SIGNER.vkey)
    assert caught.value.index == 280


def test_leaves_whose_lengths_make_up_for_one_another_are_found(
    log: LogMaker, tmp_path: Path
) -> None:
    log.grow(300)
    for index, end in ((280, 89), (281, 91)):
        leaf = (log.entries[index].leaf + b"\x01")[:end]
        log.entries[index] = replace(log.entries[index], leaf=leaf)
    with pytest.raises(ProofError, match="89 bytes") as caught:
        verify_files(_published_as(log.entries, tmp_path / "log"), SIGNER.vkey)
    assert caught.value.index == 280


def test_a_policy_demands_its_quorum(published: Path) -> None:
    witness, stranger = make_signer("w.example/1", 7), make_signer("w.example/2", 8)
    lines = [f"log {SIGNER.vkey}", f"witness A {witness.cosigner.encode()}", "quorum A"]
    policy = parse_policy("\n".join(lines).encode())
    note = (published / "checkpoint").read_bytes()
    text = parse_note(note).text
    for lines in ([], [stranger.cosign(text, 7)]):
        (published / "checkpoint").write_bytes(note + "".join(lines).encode())
        with pytest.raises(ProofError, match="quorum"):
            verify_files(published, policy)
    (published / "checkpoint").write_bytes(note + witness.cosign(text, 7).encode())
    assert verify_files(published, policy).signed_size == verify_files(published, SIGNER.vkey).size
    other = parse_policy(f"log {make_signer('example.com/else', 9).vkey}\nquorum none".encode())
    with pytest.raises(ProofError, match="no log"):
        verify_files(published, other)


class Clock:
    """Believes every token that begins with the note."""

    def verify(self, token: bytes, note: bytes) -> int:
        if token != b"seen " + note:
            raise ProofError("time stamp does not verify, try another authority")
        return NOW


def test_anchors_hold_the_log_to_what_it_was(published: Path, log: LogMaker) -> None:
    stamps = cast("Stamps", Clock())
    folder = published / "anchors"
    folder.mkdir()

    def anchor(size: int, root: bytes) -> None:
        note = sign_checkpoint(Checkpoint(SIGNER.verifier.name, size, root), SIGNER)
        (folder / f"{size}.checkpoint").write_bytes(note)
        (folder / f"{size}.tsr").write_bytes(b"seen " + note)

    assert verify_files(published, SIGNER.vkey, stamps=stamps).anchors == 0
    for size in (0, 1, 256, 300):
        tree = CompactRange()
        for entry in log.entries[:size]:
            tree.append(entry.leaf_hash)
        anchor(size, tree.root())
    report = verify_files(published, SIGNER.vkey, stamps=stamps)
    assert (report.anchors, report.anchored_at) == (4, NOW)
    anchor(257, bytes(32))
    with pytest.raises(ProofError, match="the first 257 entries do not have the root"):
        verify_files(published, SIGNER.vkey, stamps=stamps)
    assert verify_files(published, SIGNER.vkey).anchors == 0
    (folder / "257.tsr").write_bytes(b"else")
    with pytest.raises(ProofError, match="does not verify"):
        verify_files(published, SIGNER.vkey, stamps=stamps)
    (folder / "257.tsr").unlink()
    anchor(100_000, bytes(32))
    with pytest.raises(ProofError, match="100000 entries were anchored"):
        verify_files(published, SIGNER.vkey, stamps=stamps)
