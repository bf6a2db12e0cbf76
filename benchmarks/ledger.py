"""What the log costs: sealing, appending, checking a published log, proving one entry.

    python -m benchmarks.ledger [--entries 32768] [--rounds 7] [--postgres URL]

Seals entries as views have them (an event part, one customer, a tag) and does each job `--rounds`
times, in turn with a bare loop over the same bytes: `hashlib` alone, or `executemany` alone into
the same tables. Prints Markdown: the best of all rounds in microseconds of processor time for each
item, the rate of that, and the multiple of the bare loop, which says more on a busy machine. With
the URL of a PostgreSQL database that may be emptied, also what the clock says of its way through
`pending`.
"""

import argparse
import gc
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.bootstrap import open_bundle
from benchmarks.backtest import START, TENANT, make_event, some_facts
from guard.entries import EntryKind, EventPart, NewEntry, SealedEntry, SubjectPart
from guard.ledger.checkpoint import Checkpoint, sign_checkpoint
from guard.ledger.entry import Sealer, inner_hash
from guard.ledger.integrator import TURN
from guard.ledger.merkle import leaf_hash
from guard.ledger.note import NoteSigner
from guard.ledger.proofs import Proofs
from guard.ledger.receipts import ReceiptSigner
from guard.ledger.tiles import TILE_WIDTH, TileEdge, TileFolder
from guard.ledger.verify import verify_files
from guard.rows import SubjectRow
from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from guard.store.entries import PlacedEntry, placed
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.model import Tier

WRITER = bytes(8)
CUSTOMERS = 2_000

# Entries of one commit: what the integrator moves in a turn.
BATCH = 4_096

# Random places of the tree that are proven in one round.
PROVEN = 2_000

TABLES = ("entry", "detail_event", "detail_subject")

Rows: TypeAlias = list[tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is measured: `run` returns what one item cost, in seconds.

    `bare` names the job that it is compared with.
    """

    name: str
    run: Callable[[], float]
    bare: str = ""


def spent(work: Callable[[], object], count: int) -> float:
    """Processor time of `work`, for each of `count` items."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / count


class Desk:
    """Makes the entries of a busy desk, sealed by the real vault."""

    def __init__(self, folder: Path, entries: int) -> None:
        """Make `entries` new entries; nothing is sealed yet."""
        root = (folder / "root.key").as_uri()
        self.keyring = Keyring.open(root, folder / "keyring.json")
        self.vault = EntryVault(self.keyring)
        self.sealer = Sealer(self.vault, WRITER)
        rows = [
            self.keyring.new_subject(TENANT, "eu", "crm", str(n), Tier.STANDARD, is_decoy=False)
            for n in range(CUSTOMERS)
        ]
        self.subjects: dict[str, SubjectRow] = {row.ref: row for row in rows}
        bundle, known = open_bundle(None), some_facts(300)
        opened = EventPart(at=START, kind="writer_open", tenant=TENANT, agent="system")
        self.new = [NewEntry(kind=EntryKind.WRITER_OPEN, event=opened)]
        for n in range(1, entries):
            part = SubjectPart(
                customer=rows[n * 7_919 % CUSTOMERS].ref, case=f"case-{n}", reason="called twice"
            )
            event = make_event(n, known[n * 7_919 % len(known)], bundle)
            self.new.append(NewEntry(kind=EntryKind.VIEW, event=event, subjects=(part,)))

    def sealed(self, start: int, end: int) -> list[SealedEntry]:
        """These entries, sealed."""
        next_n: dict[str, int] = {}
        seal, subjects = self.sealer.seal, self.subjects
        return [
            seal(new, writer_seq=n, subjects=subjects, next_n=next_n)
            for n, new in enumerate(self.new[start:end], start)
        ]

    def seal_all(self, count: int) -> None:
        """Seal so many and keep none."""
        for start in range(0, count, 64):
            self.sealed(start, start + 64)


# --- sealing


def sealing(desk: Desk, entries: Sequence[SealedEntry]) -> list[Job]:
    """The whole seal of a view, and each thing it does by itself."""
    count = len(entries)
    views = [new for new in desk.new[:count] if new.subjects]
    encode = msgspec.json.Encoder().encode
    events = [bytes(32) + encode(new.event) for new in views]
    parts = [bytes(32) + encode(new.subjects[0]) for new in views]
    rows = [desk.subjects[new.subjects[0].customer] for new in views]
    signer = ReceiptSigner(WRITER, Ed25519PrivateKey.generate())
    vault, entry_id = desk.vault, bytes(16)

    def each(work: Callable[[], object]) -> Callable[[], float]:
        return lambda: spent(work, count)

    return [
        Job(name="seal a view", run=each(lambda: desk.seal_all(count))),
        Job(
            name="of it: encode both parts",
            run=each(lambda: [(encode(new.event), encode(new.subjects[0])) for new in views]),
        ),
        Job(
            name="of it: hash the parts, commit, leaf",
            run=each(
                lambda: [
                    leaf_hash(inner_hash(one) + inner_hash(two))
                    for one, two in zip(events, parts, strict=True)
                ]
            ),
        ),
        Job(
            name="of it: seal the event part",
            run=each(lambda: [vault.seal_event(TENANT, START, entry_id, one) for one in events]),
        ),
        Job(
            name="of it: seal the subject part",
            run=each(
                lambda: [
                    vault.seal_subject(row, entry_id, one)
                    for row, one in zip(rows, parts, strict=True)
                ]
            ),
        ),
        Job(name="of it: tag", run=each(lambda: [vault.tag(row, 7) for row in rows])),
        Job(
            name="sign a receipt",
            run=each(lambda: [signer.sign(one, None) for one in entries]),
        ),
    ]


# --- appending


@contextmanager
def sqlite_log(folder: Path) -> Iterator[tuple[Path, SqlStore]]:
    """A new database."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = Path(made) / "ledger.db"
        migrate.upgrade(sqlite_url(path))
        with SqlStore(sqlite_url(path)) as store:
            yield path, store


def append(store: SqlStore, entries: Sequence[SealedEntry]) -> None:
    """Commit the entries, a batch at a time."""
    for start in range(0, len(entries), BATCH):
        with store.begin() as rows:
            rows.append(entries[start : start + BATCH])


def append_leaves(store: SqlStore, encoded: Sequence[PlacedEntry]) -> None:
    """Commit the leaves and the tree over them, without what is kept beside each."""
    for start in range(0, len(encoded), BATCH):
        with store.begin() as rows:
            batch = list(enumerate(encoded[start : start + BATCH], start))
            rows._add_leaves(batch)  # noqa: SLF001 - the half of `place` that is the log itself


def seal_and_append(store: SqlStore, desk: Desk, count: int) -> None:
    """Seal and commit, a batch at a time."""
    for start in range(0, count, BATCH):
        with store.begin() as rows:
            rows.append(desk.sealed(start, min(start + BATCH, count)))


def rows_of(folder: Path, entries: Sequence[SealedEntry]) -> list[dict[str, Rows]]:
    """What the tables hold of these entries, for each batch."""
    with sqlite_log(folder) as (path, store):
        append(store, entries)
        with sqlite3.connect(path) as link:
            return [
                {
                    name: link.execute(
                        f"SELECT * FROM {name} WHERE idx >= ? AND idx < ? ORDER BY idx",  # noqa: S608 - a constant
                        (start, start + BATCH),
                    ).fetchall()
                    for name in TABLES
                }
                for start in range(0, len(entries), BATCH)
            ]


def insert_bare(path: Path, batched: Sequence[dict[str, Rows]], names: Sequence[str]) -> None:
    """Write the rows with nothing but the driver, in the same batches and as durably."""
    with sqlite3.connect(path, isolation_level=None) as link:
        link.execute("PRAGMA synchronous=FULL")
        link.execute("PRAGMA foreign_keys=ON")
        for batch in batched:
            link.execute("BEGIN IMMEDIATE")
            for name in names:
                marks = ",".join("?" * len(batch[name][0]))
                link.executemany(f"INSERT INTO {name} VALUES ({marks})", batch[name])  # noqa: S608 - constants
            link.execute("COMMIT")


def appending(folder: Path, desk: Desk, entries: Sequence[SealedEntry]) -> list[Job]:
    """Appending to SQLite: the leaves and their tree, the whole entries, and with the sealing."""
    rows, count = rows_of(folder, entries), len(entries)
    encoded = [placed(one) for one in entries]

    def bare(names: Sequence[str]) -> float:
        with sqlite_log(folder) as (path, store):
            store.close()
            return spent(lambda: insert_bare(path, rows, names), count)

    def ours(work: Callable[[SqlStore], object]) -> float:
        with sqlite_log(folder) as (_, store):
            return spent(lambda: work(store), count)

    return [
        Job(name="bare executemany, one table of leaves", run=lambda: bare(TABLES[:1])),
        Job(name="bare executemany, three tables", run=lambda: bare(TABLES)),
        Job(
            name="append encoded entries: leaves and tree",
            run=lambda: ours(lambda store: append_leaves(store, encoded)),
            bare="bare executemany, one table of leaves",
        ),
        Job(
            name="append sealed entries, with their details",
            run=lambda: ours(lambda store: append(store, entries)),
            bare="bare executemany, three tables",
        ),
        Job(
            name="end to end: seal and append",
            run=lambda: ours(lambda store: seal_and_append(store, desk, count)),
            bare="bare executemany, three tables",
        ),
    ]


# --- checking and proving


def publish(folder: Path, leaves: Sequence[bytes], signer: NoteSigner) -> TileFolder:
    """The files of a log of these leaves."""
    tiles, edge = TileFolder(folder), TileEdge()
    tiles.write(edge.extend(leaves))
    tiles.write(edge.partials())
    checkpoint = Checkpoint(signer.verifier.name, edge.size, edge.root())
    tiles.publish(sign_checkpoint(checkpoint, signer))
    return tiles


def hash_tree(leaves: Sequence[bytes]) -> bytes:
    """The least that checking a log can cost: hash leaves, then pairs, until one is left."""
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(row) > 1:
        pairs = iter(row)
        row = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(pairs, pairs, strict=True)
        ]
    return row[0]


def checking(folder: Path, entries: Sequence[SealedEntry]) -> list[Job]:
    """Checking the published files, and proofs from them."""
    signer = NoteSigner("example.com/log", Ed25519PrivateKey.generate())
    leaves = [one.leaf for one in entries]
    size = len(leaves)
    tiles = publish(folder / "log", leaves, signer)
    chosen = [secrets.randbelow(size) for _ in range(PROVEN)]
    warm = Proofs(tiles.path)
    height = (size - 1).bit_length()

    def prove(proofs: Proofs, indexes: Sequence[int]) -> None:
        for index in indexes:
            proofs.inclusion(index, size)

    def hash_paths() -> None:
        for _ in range(PROVEN):
            one = bytes(32)
            for _ in range(height):
                one = sha256(b"\x01" + one + one).digest()

    firsts = range(0, size, TILE_WIDTH)
    return [
        Job(
            name="bare hashlib, leaves and nodes",
            run=lambda: spent(lambda: hash_tree(leaves), size),
        ),
        Job(
            name="check a published log",
            run=lambda: spent(lambda: verify_files(tiles.path, signer.vkey), size),
            bare="bare hashlib, leaves and nodes",
        ),
        Job(
            name=f"bare hashlib, {height} hashes of a path",
            run=lambda: spent(hash_paths, PROVEN),
        ),
        Job(
            name="inclusion proof, tile in memory",
            run=lambda: spent(lambda: prove(warm, chosen), PROVEN),
            bare=f"bare hashlib, {height} hashes of a path",
        ),
        Job(
            name="inclusion proof, tile read for it",
            run=lambda: spent(lambda: prove(Proofs(tiles.path), firsts), len(firsts)),
            bare=f"bare hashlib, {height} hashes of a path",
        ),
    ]


def report(jobs: Sequence[Job], rounds: int) -> None:
    """Run every job in each round, and print the best."""
    best = {job.name: float("inf") for job in jobs}
    for _ in range(rounds):
        for job in jobs:
            best[job.name] = min(best[job.name], job.run())
    print("| | microseconds each | a second | times the bare loop |")
    print("| --- | ---: | ---: | ---: |")
    for job in jobs:
        one = best[job.name]
        ratio = f"{one / best[job.bare]:.2f}" if job.bare else ""
        print(f"| {job.name} | {1e6 * one:.2f} | {1 / one:,.0f} | {ratio} |")
    print()


def on_postgresql(url: str, entries: Sequence[SealedEntry]) -> None:
    """Print what the clock says of the way through `pending` into the tree."""
    migrate.upgrade(url)
    with SqlStore(url) as store:
        print("| PostgreSQL, by the clock | entries a second |")
        print("| --- | ---: |")
        start = 0
        for batch, commits in ((1, 200), (64, 40), (256, 16), (BATCH, 2)):
            end = min(start + batch * commits, len(entries))
            began = time.perf_counter()
            for at in range(start, end, batch):
                with store.begin() as rows:
                    rows.append(entries[at : min(at + batch, end)])
            rate = (end - start) / (time.perf_counter() - began)
            print(f"| left pending, {batch:,} a commit | {rate:,.0f} |")
            start = end
        began = time.perf_counter()
        while store.integrate(TURN).count == TURN:
            pass
        print(f"| placed, {TURN:,} a turn | {start / (time.perf_counter() - began):,.0f} |")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=32_768)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--postgres", metavar="URL")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        desk = Desk(folder, given.entries)
        entries = desk.sealed(0, given.entries)
        # What has been made so far is kept to the end: no use in looking through it again.
        gc.freeze()
        report(sealing(desk, entries[:BATCH]), given.rounds)
        report(appending(folder, desk, entries), given.rounds)
        report(checking(folder, entries), given.rounds)
        if given.postgres:
            on_postgresql(given.postgres, entries)


if __name__ == "__main__":
    main()
