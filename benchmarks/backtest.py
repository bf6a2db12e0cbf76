"""How fast a backtest replays the log, next to a bare loop over the same rows.

    python -m benchmarks.backtest [--entries 100000] [--rounds 5] [--facts 300]

Makes a SQLite ledger of sealed views (different facts, teams and classes), then in each round reads
it three times, in turn: the rows alone; the rows and their event parts, opened; the whole backtest,
as `guard policy backtest` runs it. Prints entries per second (of the clock, and of the processor:
others may be using the machine), the ratio of the backtest to the bare loop, and how many different
facts were decided on.
"""

import argparse
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

from api.bootstrap import open_bundle
from api.cli.policy_life import replayed
from guard.backtest import Report
from guard.backtest.replay import CHUNK, DECIDED
from guard.clock import SECOND, Micros, from_rfc3339
from guard.entries import Charge, EntryKind, EventPart, NewEntry, SealedPart
from guard.ledger.entry import Sealer, open_parts
from guard.rows import PartQuery
from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.bundle import Bundle
from policies.facts import parse_facts
from policies.model import Desk, Facts, Link, Purpose, Role, Tier

TENANT = "bench"
START: Micros = from_rfc3339("2026-11-02T08:00:00Z")
BATCH = 5_000
ORDINARY = {
    "actor": "human",
    "tie": "none",
    "risk": "none",
    "on_shift": True,
    "same_tenant": True,
    "same_region": True,
    "fresh_mfa": False,
    "reason_given": False,
    "customer_present": False,
}


def some_facts(count: int) -> list[Facts]:
    """So many different facts, the ordinary ones first."""
    combined = product(Tier, Desk, (Role.AGENT, Role.LEAD), Purpose, Link)
    found = []
    for (tier, desk, role, purpose, link), _ in zip(combined, range(count), strict=False):
        words = {"tier": tier, "desk": desk, "role": role, "purpose": purpose, "link": link}
        found.append(parse_facts({**ORDINARY, **{k: v.value for k, v in words.items()}}))
    return found


def make_event(n: int, facts: Facts, bundle: Bundle) -> EventPart:
    """The event part of an ordinary view."""
    return EventPart(
        at=START + n * SECOND,
        kind="view",
        tenant=TENANT,
        agent=f"a{n % 120:03}",
        region="eu",
        vendor="vendor-1",
        site=f"site-{n % 4}",
        team=f"team-{n % 12}",
        line=("lead-1", "manager-1"),
        client="desk",
        role=facts.role.value,
        session=f"s{n % 400}",
        purpose=facts.purpose.value,
        link=facts.link.value,
        tier=facts.tier.value,
        classes=dict.fromkeys(bundle.classes[: 3 + n % 4], "mask"),
        n_fields=12,
        n_sensitive=4,
        walk=(n % 7, n % 5),
        facts_id=facts.facts_id,
        bundle=bundle.digest,
        mode="enforce",
        outcome="permitted",
        determined_by=("support-case", "contact-masked", "identity-masked", "orders"),
        charges=(Charge("agent:bench/a", "views", 1), Charge("agent:bench/a", "customers", 1)),
        body={"on_shift": True},
    )


def fill(store: SqlStore, vault: EntryVault, bundle: Bundle, entries: int, facts: int) -> None:
    """Write the ledger."""
    known = some_facts(facts)
    sealer = Sealer(vault, secrets.token_bytes(8))
    with store.begin() as rows:
        rows.put_bundle(bundle.digest, bundle.files)
        rows.put_facts({one.facts_id: one.as_dict() for one in known})
    for start in range(0, entries, BATCH):
        batch = [
            sealer.seal(
                NewEntry(
                    kind=EntryKind.VIEW, event=make_event(n, known[n * 7_919 % len(known)], bundle)
                ),
                writer_seq=n,
                subjects={},
                next_n={},
            )
            for n in range(start, min(start + BATCH, entries))
        ]
        with store.begin() as rows:
            rows.append(batch)


def walk(store: SqlStore, query: PartQuery, look: Callable[[list[SealedPart]], int]) -> int:
    """Hand the rows to `look`, a chunk at a time; how many it saw."""
    count, after = 0, -1
    while True:
        with store.read() as view:
            parts = view.event_parts(query, after, CHUNK)
        if not parts:
            return count
        count, after = count + look(parts), parts[-1][0]


def opened(parts: list[SealedPart], vault: EntryVault) -> int:
    """Open the parts, and nothing else."""
    return sum(1 for _ in open_parts(parts, TENANT, vault))


def measure(entries: int, rounds: int, facts: int) -> None:
    """Fill, run and print."""
    bundle = open_bundle(None)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        url = sqlite_url(folder / "ledger.db")
        migrate.upgrade(url)
        keys = folder / "keys"
        vault = EntryVault(Keyring.open((keys / "root.key").as_uri(), keys / "keyring.json"))
        with SqlStore(url) as store:
            fill(store, vault, bundle, entries, facts)
            query = PartQuery(tenant=TENANT, kinds=DECIDED, size=entries, since=0, until=START * 2)
            reports: list[Report] = []

            def backtest() -> int:
                reports.append(replayed(store, vault, bundle, (TENANT, 0, query.until)))
                return reports[-1].decided

            runs: dict[str, Callable[[], int]] = {
                "rows alone": lambda: walk(store, query, len),
                "rows, opened": lambda: walk(store, query, lambda parts: opened(parts, vault)),
                "backtest": backtest,
            }
            rates: dict[str, list[float]] = {name: [] for name in runs}
            busy_rates: dict[str, list[float]] = {name: [] for name in runs}
            for _ in range(rounds):
                for name, run in runs.items():
                    began, busy = time.perf_counter(), time.process_time()
                    assert run() == entries
                    rates[name].append(entries / (time.perf_counter() - began))
                    busy_rates[name].append(entries / (time.process_time() - busy))
    for name, found in rates.items():
        busy_found = busy_rates[name]
        print(
            f"{name:16} {statistics.median(found):>9,.0f} entries/s (best {max(found):,.0f}); "
            f"{statistics.median(busy_found):,.0f} a second of processor (best "
            f"{max(busy_found):,.0f})"
        )
    ratio = statistics.median(
        [b / a for a, b in zip(rates["rows alone"], rates["backtest"], strict=True)]
    )
    print(f"backtest / rows alone {ratio:.2f}; {reports[-1].facts:,} different facts decided on")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--facts", type=int, default=300)
    given = parser.parse_args()
    measure(given.entries, given.rounds, given.facts)


if __name__ == "__main__":
    main()
