"""How fast the log leaves, next to a bare loop over the same rows.

    python -m benchmarks.exports [--entries 40000] [--customers 5000] [--rounds 7] [--formats ...]

Makes a SQLite ledger of sealed views, each of one customer, then in each round and in turn reads
the rows alone, in both shapes (`bare`), the raw range, each format without customers (event parts
opened), NDJSON with customers (event and subject parts opened), and the whole service with its
commits (`service`). Entries a second of processor time: others may be using the machine. Prints
best and median of the rounds, and what opening subject parts adds to an entry.
"""

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.bootstrap import open_bundle
from benchmarks.backtest import START, TENANT, make_event, some_facts
from guard.admission import GroupCommitter
from guard.clock import ManualClock
from guard.entries import EntryKind, NewEntry, SubjectPart
from guard.exporting import Exports, Manifests
from guard.exports import FORMATS, CellGuard, ExportFormat, Source
from guard.exports.opening import paged
from guard.exports.order import ExportOrder
from guard.exports.raw_blocks import BLOCK, read_block
from guard.exports.run import CHUNK, Run
from guard.ledger.entry import Sealer
from guard.ledger.note import NoteSigner
from guard.ledger.receipts import ReceiptSigner
from guard.principals import Principal
from guard.rows import LogQuery
from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from guard.store.readers import ThreadedReaders
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.model import ActorKind, Role, Tier

BATCH = 5_000
SOURCE = Source(origin="bench/log", version="0")
AUDITOR = Principal(
    id="aud", tenant=TENANT, region="eu", vendor="", site="", team="", line=(), role=Role.AUDITOR,
    kind=ActorKind.HUMAN, actor=None, client="bench", session="s", scopes=frozenset(), shift=None,
    mfa_at=None,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bench:
    """A ledger to read from."""

    store: SqlStore
    keyring: Keyring
    vault: EntryVault
    folder: Path
    entries: int


@contextmanager
def ledger(entries: int, customers: int) -> Iterator[Bench]:
    """A ledger of views, each of one of `customers`."""
    bundle, facts = open_bundle(None), some_facts(300)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        url = sqlite_url(folder / "ledger.db")
        migrate.upgrade(url)
        keys = folder / "keys"
        keyring = Keyring.open((keys / "root.key").as_uri(), keys / "keyring.json")
        vault = EntryVault(keyring)
        sealer, next_n = Sealer(vault, secrets.token_bytes(8)), dict[str, int]()
        people = [
            keyring.new_subject(TENANT, "eu", "crm", str(n), Tier.STANDARD, is_decoy=False)
            for n in range(customers)
        ]
        known = {row.ref: row for row in people}
        with SqlStore(url) as store:
            with store.begin() as rows:
                rows.add_subjects(people)
            for start in range(0, entries, BATCH):
                batch = []
                for n in range(start, min(start + BATCH, entries)):
                    ref = people[n * 7_919 % customers].ref
                    new = NewEntry(
                        kind=EntryKind.VIEW,
                        event=make_event(n, facts[n * 7_919 % len(facts)], bundle),
                        subjects=(SubjectPart(customer=ref, case=f"k-{n}"),),
                    )
                    sealed = sealer.seal(new, writer_seq=n, subjects=known, next_n=next_n)
                    batch.append(sealed)
                with store.begin() as rows:
                    rows.append(batch)
            yield Bench(store, keyring, vault, folder, entries)


def bare_parts(bench: Bench) -> int:
    """The rows that an opened export reads, and nothing else."""
    count, before, query = 0, bench.entries, LogQuery(tenant=TENANT)
    while before:
        with bench.store.read() as view:
            parts = view.export_parts(paged(query, before, CHUNK))
        count, before = count + len(parts), parts[-1][0]
    return count


def bare_raw(bench: Bench) -> int:
    """The rows that a raw range reads, and nothing else."""
    count = 0
    for start in range(0, bench.entries, BLOCK):
        with bench.store.read() as view:
            count += len(view.raw_entries(TENANT, start, start + BLOCK))
            view.raw_subjects(start, start + BLOCK)
    return count


def raw(bench: Bench) -> int:
    """A raw range, without its entries in the log."""
    for start in range(0, bench.entries, BLOCK):
        with bench.store.read() as view:
            read_block(view, TENANT, start, min(start + BLOCK, bench.entries))
    return bench.entries


def opened(bench: Bench, fmt: ExportFormat, *, customers: bool) -> int:
    """A file, without its entries in the log."""
    order = ExportOrder(format=fmt, query=LogQuery(tenant=TENANT), customers=customers)
    encoder = FORMATS[fmt].encoder(SOURCE, CellGuard.FORMULAS)
    run = Run(order, bench.entries, encoder, bench.vault)
    is_last = False
    while not is_last:
        with bench.store.read() as view:
            is_last = run.step(view).is_last
            while run.omit(view):
                pass
    return run.entries


def service(bench: Bench, *, customers: bool) -> int:
    """A file as the service sends it: every chunk committed before it leaves."""

    async def work() -> int:
        readers = ThreadedReaders(bench.store, deadline_s=60)
        writer, clock = secrets.token_bytes(8), ManualClock(START * 2)
        committer = GroupCommitter(
            bench.store,
            Sealer(bench.vault, writer),
            ReceiptSigner.fresh(writer),
            clock=clock,
            deadline_s=60,
        )
        committer.start()
        signer = NoteSigner("bench/exports", bench.keyring.signing_key("bench/exports"))
        manifests = Manifests(folder=bench.folder / "manifests", signer=signer, version="0")
        made = Exports(committer, readers, clock, bench.vault, manifests)
        # Views alone: what earlier rounds wrote is left out again.
        query = LogQuery(tenant=TENANT, kinds=(EntryKind.VIEW,))
        order = ExportOrder(format=ExportFormat.NDJSON, query=query, customers=customers)
        download = await made.export(AUDITOR, order)
        async for _ in download.pieces:
            pass
        done = await made.progress(AUDITOR, download.job)
        committer.close()
        readers.close()
        return done.entries

    return asyncio.run(work())


def measure(entries: int, customers: int, rounds: int, formats: list[ExportFormat]) -> None:
    """Fill, run in turn, print."""
    with ledger(entries, customers) as bench:
        runs: dict[str, Callable[[], int]] = {
            "bare rows": lambda: bare_parts(bench),
            "bare rows of raw": lambda: bare_raw(bench),
            "raw": lambda: raw(bench),
        }
        for fmt in formats:
            runs[fmt.value] = lambda fmt=fmt: opened(bench, fmt, customers=False)  # type: ignore[misc] # binds fmt
        runs["ndjson + customers"] = lambda: opened(bench, ExportFormat.NDJSON, customers=True)
        runs["service"] = lambda: service(bench, customers=False)
        runs["service + customers"] = lambda: service(bench, customers=True)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                busy = time.process_time()
                assert run() == entries
                seconds[name].append(time.process_time() - busy)
    for name, found in seconds.items():
        best, middle = entries / min(found), entries / statistics.median(found)
        print(f"{name:20} best {best:>9,.0f}  median {middle:>9,.0f} entries/s of processor")
    added = min(seconds["ndjson + customers"]) - min(seconds["ndjson"])
    print(f"opening a subject part adds {added / entries * 1e6:.1f} us an entry")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=40_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--formats", nargs="*", type=ExportFormat, default=list(ExportFormat))
    given = parser.parse_args()
    measure(given.entries, given.customers, given.rounds, given.formats)


if __name__ == "__main__":
    main()
