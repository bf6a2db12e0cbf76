"""The table of `docs/operations/tamper.md`: what is done to the log, who finds it, and where."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.entries import Receipt
from guard.errors import ForkError, ProofError
from guard.fsck import Fault
from guard.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from guard.ledger.merkle import CompactRange, leaf_hash
from guard.ledger.note import NoteSigner
from guard.ledger.publisher import Publisher
from guard.ledger.verify import verify_files
from guard.ledger.witness import Witness, begin_memory
from guard.store.engine import sqlite_url
from guard.store.sql_store import SqlReader
from tests.tamper.stand import Stand

NOW = 1_764_000_000_000_000


def publisher(stand: Stand) -> Publisher:
    return Publisher(
        stand.signer, log_dir=stand.folder / "log", high_water=stand.folder / "high-water"
    )


def refused(stand: Stand, one: Publisher | None = None) -> str:
    """Why the publisher signs nothing of this store."""
    with (
        SqlReader(sqlite_url(stand.database)) as store,
        store.read() as view,
        pytest.raises(ForkError) as caught,
    ):
        (one or publisher(stand)).prepare(view)
    return str(caught.value)


def found(stand: Stand, table: str, index: int | None, words: str) -> list[Fault]:
    """The faults; one of them is this."""
    faults = list(stand.fsck().faults)
    assert any((one.table, one.index) == (table, index) and words in one.what for one in faults), (
        list(map(str, faults))
    )
    return faults


def size(stand: Stand) -> int:
    (count,) = stand.one("SELECT max(idx) + 1 FROM entry")
    assert isinstance(count, int)
    return count


def published(stand: Stand) -> int:
    note = (stand.folder / "log" / "checkpoint").read_bytes()
    return open_checkpoint(note, stand.signer.verifier).size


def flip(stand: Stand, table: str, column: str, index: int, at: int = 20) -> None:
    (value,) = stand.one(f"SELECT {column} FROM {table} WHERE idx = ?", index)  # noqa: S608 - names of this file
    assert isinstance(value, bytes)
    changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    stand.sql(f"UPDATE {table} SET {column} = ? WHERE idx = ?", changed, index)  # noqa: S608 - as above


def renumber(stand: Stand, first: int, by: int) -> None:
    """Move the entries from `first` on to other places."""
    step = "DESC" if by > 0 else "ASC"
    with closing(sqlite3.connect(stand.database)) as file, file:
        for table in ("entry", "detail_event", "detail_subject", "late_link"):
            query = f"SELECT DISTINCT idx FROM {table} WHERE idx >= ? ORDER BY idx {step}"  # noqa: S608 - as above
            change = f"UPDATE {table} SET idx = ? WHERE idx = ?"  # noqa: S608 - as above
            for (index,) in file.execute(query, (first,)).fetchall():
                file.execute(change, (index + by, index))


def rehead(stand: Stand) -> None:
    """Make the head fit whatever entries there are, as a careful forger would."""
    with closing(sqlite3.connect(stand.database)) as file, file:
        tree = CompactRange()
        for (leaf,) in file.execute("SELECT leaf FROM entry ORDER BY idx"):
            tree.append(leaf_hash(leaf))
        values = (tree.size, b"".join(tree.hashes))
        file.execute("UPDATE tree_head SET size = ?, range = ?", values)


def test_edit(stand: Stand) -> None:
    flip(stand, "entry", "leaf", 7)
    found(stand, "entry", 7, "not the published one")


def test_edit_of_a_part(stand: Stand) -> None:
    flip(stand, "detail_event", "sealed", 9, at=60)
    found(stand, "detail_event", 9, "changed or moved")


def test_edit_of_what_the_log_is_searched_by(stand: Stand) -> None:
    assert stand.sql("UPDATE detail_event SET agent = 'a2' WHERE idx = 12") == 1
    found(stand, "detail_event", 12, "column `agent`")


def test_edit_of_what_is_not_published_yet(stand: Stand) -> None:
    last = size(stand) - 1
    flip(stand, "entry", "leaf", last)
    found(stand, "entry", last, "the leaf was changed")
    assert f"entry {last}" in refused(stand)


def test_insert(stand: Stand) -> None:
    renumber(stand, 10, 1)
    for table in ("entry", "detail_event"):
        with closing(sqlite3.connect(stand.database)) as file, file:
            columns = [one[1] for one in file.execute(f"PRAGMA table_info({table})")]
            copied = ", ".join(
                {"idx": "10", "writer_seq": "99", "entry_id": "x'00'"}.get(c, c) for c in columns
            )
            file.execute(f"INSERT INTO {table} SELECT {copied} FROM {table} WHERE idx = 9")  # noqa: S608 - as above
    rehead(stand)
    found(stand, "entry", 10, "not the published one")
    assert "do not hash to the head" in refused(stand)


def test_insert_at_the_end(stand: Stand) -> None:
    end = size(stand)
    stand.sql(
        "INSERT INTO entry SELECT ?, x'00', writer, 999, leaf, leaf_hash FROM entry WHERE idx = 5",
        end,
    )
    rehead(stand)
    found(stand, "entry", end, "an entry is missing or repeated")
    found(stand, "detail_event", end, "the row was lost")


def test_reorder(stand: Stand) -> None:
    for table in ("entry", "detail_event", "detail_subject"):
        for old, new in ((14, -1), (15, 14), (-1, 15)):
            stand.sql(f"UPDATE {table} SET idx = ? WHERE idx = ?", new, old)  # noqa: S608 - as above
    rehead(stand)
    faults = found(stand, "entry", 14, "not the published one")
    assert {one.index for one in faults if one.table == "entry"} == {14, 15}
    refused(stand)


def test_delete_in_the_middle(stand: Stand) -> None:
    for table in ("entry", "detail_event", "detail_subject"):
        stand.sql(f"DELETE FROM {table} WHERE idx = 20")  # noqa: S608 - as above
    found(stand, "entry", 20, "entry 20 is missing")


def test_delete_in_the_middle_and_close_the_gap(stand: Stand) -> None:
    for table in ("entry", "detail_event", "detail_subject"):
        stand.sql(f"DELETE FROM {table} WHERE idx = 20")  # noqa: S608 - as above
    renumber(stand, 21, -1)
    rehead(stand)
    found(stand, "entry", 20, "not the published one")
    assert refused(stand)


def test_delete_at_the_end(stand: Stand) -> None:
    """What was signed cannot be cut off; what was not yet, shows at the customers and receipts."""
    signed = published(stand)
    for table in ("entry", "detail_event", "detail_subject", "late_link"):
        stand.sql(f"DELETE FROM {table} WHERE idx >= ?", signed - 2)  # noqa: S608 - as above
    rehead(stand)
    found(stand, "high-water", signed, f"{signed} entries were signed and {signed - 2} are left")
    assert f"does not continue the {signed}" in refused(stand)


def test_delete_at_the_end_of_what_nobody_signed(stand: Stand) -> None:
    last = size(stand) - 3
    assert last >= published(stand)
    for table in ("entry", "detail_event", "detail_subject"):
        stand.sql(f"DELETE FROM {table} WHERE idx >= ?", last)  # noqa: S608 - as above
    rehead(stand)
    found(stand, "entry", None, "is nowhere in the log")


def test_replacement_of_the_whole_log(stand: Stand, whole: Stand) -> None:
    """Another history under the same key: everything in it fits, but not what was signed before."""
    shutil.rmtree(stand.folder / "log")
    (stand.folder / "high-water").unlink()
    for table in ("entry", "detail_event", "detail_subject", "late_link"):
        stand.sql(f"DELETE FROM {table} WHERE idx >= 10")  # noqa: S608 - as above
    stand.sql("DELETE FROM checkpoint")
    rehead(stand)
    with SqlReader(sqlite_url(stand.database)) as store, store.read() as view:
        forged = publisher(stand).prepare(view)
    assert forged is not None
    shutil.copy(whole.folder / "high-water", stand.folder / "high-water")
    found(stand, "high-water", published(whole), "were signed and 10 are left")
    assert "does not continue" in refused(stand) or "cannot be resumed" in refused(stand)


def test_fork_shown_to_one_reader(stand: Stand, tmp_path: Path) -> None:
    """A common witness cosigns one of the two; two readers who compare see it themselves."""
    note = (stand.folder / "log" / "checkpoint").read_bytes()
    true = open_checkpoint(note, stand.signer.verifier)
    fork = sign_checkpoint(Checkpoint(true.origin, true.size, bytes(32)), stand.signer)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    logs = {true.origin: stand.signer.verifier}
    begin_memory(tmp_path / "witness.json")
    witness = Witness(NoteSigner("w.example", key), logs, tmp_path / "witness.json")
    assert witness.add_checkpoint(b"old 0\n\n" + note, NOW).status == 200
    answer = witness.add_checkpoint(f"old {true.size}\n\n".encode() + fork, NOW)
    assert (answer.status, answer.body) == (409, f"{true.size}\n".encode())
    (stand.folder / "log" / "checkpoint").write_bytes(fork)
    found(stand, "published", None, "do not have the root that was signed")
    with pytest.raises(ProofError, match="root that was signed"):
        verify_files(stand.folder / "log", stand.signer.vkey)


def test_restored_backup(stand: Stand) -> None:
    """The database goes back; the high-water mark and the published files do not."""
    signed = published(stand)
    stand.sql("DELETE FROM checkpoint WHERE size > ?", signed // 2)
    for table in ("entry", "detail_event", "detail_subject", "late_link"):
        stand.sql(f"DELETE FROM {table} WHERE idx >= ?", signed // 2)  # noqa: S608 - as above
    rehead(stand)
    found(stand, "checkpoint", signed, "was published and its row is gone")
    found(stand, "high-water", signed, "are left")
    assert "restore the missing ones" in refused(stand)


def test_bit_flipped_between_commit_and_signature(stand: Stand) -> None:
    """The publisher reads back and hashes again what it signs."""
    new = published(stand)
    assert new < size(stand)
    flip(stand, "entry", "leaf", new)
    assert f"entry {new}" in refused(stand)
    found(stand, "entry", new, "the leaf was changed")


@pytest.mark.parametrize("table", ["detail_event", "detail_subject"])
def test_lost_detail_row(stand: Stand, table: str) -> None:
    (index,) = stand.one("SELECT max(idx) FROM detail_subject WHERE idx < ?", published(stand))
    assert isinstance(index, int)
    stand.sql(f"DELETE FROM {table} WHERE idx = ?", index)  # noqa: S608 - as above
    found(stand, table, index, "lost" if table == "detail_event" else "parts are not those")


def test_detail_cut_down_as_if_it_were_erased(stand: Stand) -> None:
    stand.sql("UPDATE detail_subject SET sealed = substr(sealed, 1, 32) WHERE idx = 18")
    (index,) = stand.one("SELECT min(idx) FROM detail_subject WHERE length(sealed) = 32")
    assert index == 18
    found(stand, "detail_subject", 18, "no entry explains it")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_deleted_pending_row(stand: Stand, number: int) -> None:
    assert stand.sql("DELETE FROM pending WHERE writer_seq = ?", number) == 1
    name = b"writer-2".hex()
    found(stand, "pending", None, f"number {number} of writer {name} is missing")


def test_deleted_last_pending_row(stand: Stand) -> None:
    """No later number shows it; the customer's count does, and the receipt of who was answered."""
    (last,) = stand.one("SELECT max(writer_seq) FROM pending")
    stand.sql("DELETE FROM pending WHERE writer_seq = ?", last)
    found(stand, "entry", None, "is nowhere in the log")


def test_receipt_without_its_entry(stand: Stand) -> None:
    receipt: Receipt = stand.receipts[-1]
    for table in ("entry", "detail_event", "detail_subject"):
        stand.sql(f"DELETE FROM {table} WHERE idx = ?", receipt.index)  # noqa: S608 - as above
    faults = [one for one in stand.fsck(receipts=True).faults if one.table == "receipt"]
    assert [one.index for one in faults] == [receipt.index]


def test_second_publisher(stand: Stand) -> None:
    """It signs with the same key from another store: the first one refuses to go on."""
    first = publisher(stand)
    with SqlReader(sqlite_url(stand.database)) as store, store.read() as view:
        assert first.prepare(view) is not None
    other = sign_checkpoint(Checkpoint("t", size(stand) - 1, bytes(32)), stand.signer)
    values = (size(stand) - 1, bytes(32), other, NOW)
    stand.sql("INSERT INTO checkpoint VALUES (?, ?, ?, ?)", *values)
    assert "stored checkpoint" in refused(stand, first)
    found(stand, "checkpoint", size(stand) - 1, "do not have the root that was signed")


def test_replayed_old_checkpoint(stand: Stand) -> None:
    """The store says that an old note is the newest: the published one is ahead of it."""
    (old, kept) = stand.one("SELECT note, size FROM checkpoint ORDER BY size LIMIT 1")
    assert isinstance(old, bytes)
    stand.sql("DELETE FROM checkpoint WHERE size > ?", kept)
    faults = found(stand, "checkpoint", published(stand), "its row is gone")
    assert len(faults) == 1


def test_replayed_old_checkpoint_in_the_files(stand: Stand) -> None:
    """The files are a true earlier state; a witness and the mark know of a later one."""
    (old, kept) = stand.one("SELECT note, size FROM checkpoint ORDER BY size LIMIT 1")
    assert isinstance(old, bytes)
    (stand.folder / "log" / "checkpoint").write_bytes(old)
    found(stand, "published", None, f"is of {kept} entries, and one of")


def test_key_swap(stand: Stand) -> None:
    """Another key under the log's name: whoever holds the true one believes nothing it signed."""
    thief = NoteSigner("t", Ed25519PrivateKey.generate())
    note = (stand.folder / "log" / "checkpoint").read_bytes()
    true = open_checkpoint(note, stand.signer.verifier)
    forged = sign_checkpoint(true, thief)
    (stand.folder / "log" / "checkpoint").write_bytes(forged)
    stand.sql("UPDATE checkpoint SET note = ? WHERE size = ?", forged, true.size)
    found(stand, "published", None, "no known key signed")
    found(stand, "checkpoint", true.size, "no known key signed")
    other = Publisher(thief, log_dir=stand.folder / "log", high_water=stand.folder / "high-water")
    assert "cannot be resumed" in refused(stand, other)


def test_flipped_byte_in_a_published_file(stand: Stand) -> None:
    # Of the partial bundles, only that of the published size is the log's.
    bundles = (stand.folder / "log" / "tile" / "entries").rglob(f"*.p/{published(stand) % 256}")
    (path,) = bundles
    content = bytearray(path.read_bytes())
    content[92 * 3 + 10] ^= 1
    path.write_bytes(content)
    found(stand, "published", 3, "is not the hash")


def test_view_put_under_another_customer(stand: Stand) -> None:
    (index, ref) = stand.one(
        "SELECT max(idx), ref FROM detail_subject WHERE ref = ?", stand.refs[0]
    )
    stand.sql("UPDATE detail_subject SET ref = ? WHERE idx = ?", stand.refs[1], index)
    assert isinstance(index, int)
    assert ref == stand.refs[0]
    found(stand, "detail_subject", index, "relabelled")
    found(stand, "detail_subject", index, "this entry is it")


def test_counter_of_a_customer_turned_back(stand: Stand) -> None:
    stand.sql("UPDATE subject SET next_n = next_n - 1 WHERE ref = ?", stand.refs[0])
    assert [one.table for one in stand.fsck().faults] == ["subject"]
