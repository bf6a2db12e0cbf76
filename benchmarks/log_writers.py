"""What many writers cost, and how soon an entry is provable.

    python -m benchmarks.log_writers throughput --url postgresql://... [--seconds 5]
    python -m benchmarks.log_writers latency --url ... [--samples 40] [--interval 0.5]

`throughput` commits entries from 1, 4 and 8 processes, in batches of 1 and of 64: once as writers
do (pending, one integrator beside them), once with the head of the tree locked through each commit.
`latency` runs committer, integrator and publisher as the service does, and takes the time from the
answer to a published checkpoint that covers the entry. The database must be migrated and empty.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.background import publish_forever
from guard.admission import GroupCommitter
from guard.clock import ManualClock, monotonic, wall_micros
from guard.entries import EntryKind, NewEntry, SealedEntry, system_event
from guard.ledger.checkpoint import parse_text
from guard.ledger.integrator import Integrator
from guard.ledger.note import NoteSigner, parse_note
from guard.ledger.publisher import Publisher
from guard.store import SqlStore
from guard.store.entries import placed
from guard.store.publishing import SqlPublishing
from guard.store.readers import ThreadedReaders
from tests.support.sealing import PlainReceipts, PlainSealer

PROCESSES = (1, 4, 8)
BATCHES = (1, 64)
MADE = 64
EVENT = system_event("t", EntryKind.VIEW, wall_micros(), {"note": "x" * 100})


def write(url: str, seconds: float, batch: int, locked: bool, start: object, out: object) -> None:  # noqa: FBT001 - a process's arguments
    """Commit batches for some seconds; says how many entries."""
    sealer, seq, total = PlainSealer(), 0, 0
    with SqlStore(url) as store:
        start.wait()  # type: ignore[attr-defined] # a barrier of multiprocessing
        end = monotonic() + seconds
        while monotonic() < end:
            entries: list[SealedEntry] = [
                sealer.seal(
                    NewEntry(kind=EntryKind.VIEW, event=EVENT),
                    writer_seq=seq + n,
                    subjects={},
                    next_n={},
                )
                for n in range(batch)
            ]
            with store.begin() as rows:
                if locked:
                    rows.head()
                    rows.place([placed(one) for one in entries])
                else:
                    rows.append(entries)
            seq, total = seq + batch, total + batch
    out.put(total)  # type: ignore[attr-defined] # a queue of multiprocessing


def throughput(url: str, seconds: float) -> None:
    """Print a table of entries a second."""
    sys.stdout.write(
        "| processes | batch | head locked | pending | ratio |\n| --- | --- | --- | --- | --- |\n"
    )
    for batch in BATCHES:
        for count in PROCESSES:
            locked, free = (_rate(url, seconds, batch, count, locked=it) for it in (True, False))
            sys.stdout.write(
                f"| {count} | {batch} | {locked:,.0f} | {free:,.0f} | {free / locked:.1f} |\n"
            )
            sys.stdout.flush()


def _rate(url: str, seconds: float, batch: int, count: int, *, locked: bool) -> float:
    start = multiprocessing.Barrier(count)
    out: SimpleQueue[int] = multiprocessing.SimpleQueue()
    processes = [
        multiprocessing.Process(target=write, args=(url, seconds, batch, locked, start, out))
        for _ in range(count)
    ]
    with SqlStore(url) as store:
        integrator = Integrator(store)
        integrator.start()
        for process in processes:
            process.start()
        total = sum(out.get() for _ in processes)
        for process in processes:
            process.join()
        integrator.close()
    return total / seconds


async def latency(url: str, samples: int, interval_s: float) -> None:
    """Print when an entry was under a published checkpoint, after its answer."""
    clock = ManualClock(wall_micros())
    signer = NoteSigner("bench", Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory() as name, SqlStore(url) as store:
        folder = Path(name)
        committer = GroupCommitter(
            store, PlainSealer(), PlainReceipts(), clock=clock, deadline_s=20.0
        )
        integrator = None if store.places_at_commit else Integrator(store)
        if integrator is not None:
            committer.on_commit = integrator.wake
            integrator.start()
        committer.start()
        readers = ThreadedReaders(store, deadline_s=20.0)
        right = None if store.places_at_commit else SqlPublishing(url)
        publisher = Publisher(
            signer, log_dir=folder / "log", high_water=folder / "high-water", right=right
        )
        work = publish_forever(publisher, readers, committer, clock, interval_s)
        task = asyncio.create_task(work)
        taken = sorted([await _sample(committer, readers, folder, n) for n in range(samples)])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        committer.close()
        if integrator is not None:
            integrator.close()
        publisher.release()
        readers.close()
    p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
    sys.stdout.write(
        f"{samples} entries, interval {interval_s} s: p50 {statistics.median(taken):.3f} s,"
        f" p99 {p99:.3f} s, longest {taken[-1]:.3f} s\n"
    )


async def _sample(
    committer: GroupCommitter, readers: ThreadedReaders, folder: Path, n: int
) -> float:
    await asyncio.sleep(0.05 + 0.0137 * (n % 40))
    entry = NewEntry(kind=EntryKind.VIEW, event=EVENT)
    receipt = await committer.run(lambda tx: tx.record(entry))
    began, entry_id = monotonic(), bytes.fromhex(receipt.entry_id)
    while True:
        index = await readers.read(lambda view: view.index_of(entry_id))
        path = folder / "log" / "checkpoint"
        size = parse_text(parse_note(path.read_bytes()).text).size if path.exists() else 0
        if index is not None and index < size:
            return monotonic() - began
        await asyncio.sleep(0.005)


def main(words: Sequence[str] | None = None) -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("throughput", "latency"))
    parser.add_argument("--url", required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--interval", type=float, default=0.5)
    given = parser.parse_args(words)
    if given.what == "throughput":
        throughput(given.url, given.seconds)
    else:
        asyncio.run(latency(given.url, given.samples, given.interval))


if __name__ == "__main__":
    main()
