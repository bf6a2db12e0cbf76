"""How fast the log answers, at the size that you name, with the plans of its statements.

    python -m benchmarks.answers [--entries 200000] [--engine sqlite] [--rounds 30] [--folder /tmp]

Fills a log with synthetic entries of honest shapes (a year of a floor of 2,000 agents, 80 teams,
five vendors, three regions; one customer that everybody looked at, purposes and links from common
to never) straight into the store's tables, then asks every kind of question through the store, a
page of 100 each, and prints the median, the 99th percentile and the minimum in milliseconds, how
many entries came back and whether the page ended at its bound. Then the plan of every statement of
every question; then what opening a page of sealed entries adds; then what appending costs with the
term index and without it but with the indexes that it replaced, in turn, processor time beside the
clock's.
"""

import argparse
import contextlib
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue
from random import Random  # noqa: TID251 - a made-up log, the same in every run
from typing import Any
from unittest import mock  # noqa: TID251 - takes the index out, to measure the appends without it

import psycopg
import sqlalchemy as sa

from guard.clock import DAY, SECOND, Micros, from_rfc3339
from guard.entries import EntryKind, EventPart, NewEntry, SealedEntry, StoredEntry, SubjectPart
from guard.ledger.entry import Sealer, open_entry
from guard.rows import LogQuery
from guard.store import SqlStore, migrate
from guard.store.engine import sqlite_url
from guard.store.entries import EntryWrites
from guard.store.log_terms import BLOCK, BLOCK_BYTES, bits_of
from guard.store.tables import METADATA
from guard.vault.keyring import Keyring
from guard.vault.sealing import EntryVault
from policies.model import Tier
from tests.support.postgres import shared_server
from tests.support.sealing import PlainSealer

TENANT = "bench"
START: Micros = from_rfc3339("2025-11-01T00:00:00Z")
YEAR = 365 * DAY
BATCH = 20_480
AGENTS, TEAMS, CUSTOMERS = 2_000, 80, 1_000_000
EVENT_BYTES, SUBJECT_BYTES = 640, 190
# How many entries are placed after later ones; what one team alone does, and what another never.
LATE, RARE, RARE_TEAM, BLIND_TEAM = 0.05, 0.001, 7, 9
PAGE = 100
KINDS = (
    "VIEW",
    "VIEW",
    "VIEW",
    "VIEW",
    "VIEW",
    "CASE",
    "ASSIGNMENT",
    "SEARCH",
    "REVEAL",
    "REFUSAL",
)
VIEW_KINDS = tuple(
    EntryKind[name]
    for name in (
        "VIEW", "REVEAL", "LISTED", "SEARCH", "VERIFICATION", "CONTACT", "REFUSAL", "FAILED",
    )
)  # fmt: skip
PURPOSES = ("support_case",) * 90 + ("outreach",) * 6 + ("quality_review",) * 3 + ("ai_session",)
LINKS = ("owner",) * 70 + ("transfer",) * 12 + ("queue",) * 10 + ("related",) * 5 + ("none",) * 3
SHOWN = (
    ("contact=mask identity=mask journey=plain profile=plain",) * 80
    + ("contact=mask financial=mask identity=plain profile=plain",) * 17
    + ("contact=plain identity=plain profile=plain",) * 2
    + ("financial=plain identity=mask",)
)
EVENT_COLUMNS = (
    "idx", "epoch", "sealed", "at", "kind", "tenant", "region", "vendor", "site", "team", "line",
    "agent", "actor", "purpose", "link", "mode", "would", "outcome", "shown",
)  # fmt: skip
TABLES = {
    "entry": ("idx", "entry_id", "writer", "writer_seq", "leaf", "leaf_hash"),
    "detail_event": EVENT_COLUMNS,
    "detail_subject": ("idx", "position", "ref", "sealed"),
    "log_term": ("tenant", "term", "block", "places"),
    "log_block": ("block", "high", "late", "low"),
}
# What is copied as binary says its exact type.
COPIED: dict[type, str] = {
    sa.BigInteger: "int8",
    sa.Integer: "int4",
    sa.SmallInteger: "int2",
    sa.LargeBinary: "bytea",
}
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(slots=True)
class Maker:
    """Makes the rows of a log, batch by batch, the same for every engine."""

    size: int
    high: int = 0
    late: int = 0

    def batches(self) -> Iterator[Rows]:
        """All rows, so many entries at a time."""
        chance = Random(1)  # noqa: S311 - a made-up log
        for start in range(0, self.size, BATCH):
            yield self._batch(start, min(start + BATCH, self.size), chance)

    def _batch(self, start: int, end: int, chance: Random) -> Rows:
        rows: Rows = {name: [] for name in TABLES}
        noise = os.urandom(4096)
        for idx in range(start, end):
            at = START + idx * YEAR // self.size - (chance.random() < LATE) * SECOND * 20
            agent = chance.randrange(AGENTS)
            team = agent % TEAMS
            kind = EntryKind[KINDS[chance.randrange(len(KINDS))]]
            is_view = kind in VIEW_KINDS
            piece = noise[idx % 3000 : idx % 3000 + EVENT_BYTES]
            purpose = PURPOSES[chance.randrange(100)] if is_view else ""
            if is_view and team == RARE_TEAM and chance.random() < RARE:
                purpose = "break_glass"
            rows["entry"].append(
                (idx, idx.to_bytes(16), b"writer-1", idx, piece[:90], piece[90:122])
            )
            rows["detail_event"].append(
                (
                    idx, "bench/2026-01", piece, at, kind.value, TENANT,
                    ("eu", "us", "apac")[team % 3],
                    f"vendor-{team % 5}", f"site-{team % 9}", f"team-{team:02}", '["lead"]',
                    f"agent-{agent:04}", "bot-1" if purpose == "ai_session" else "", purpose,
                    LINKS[chance.randrange(100)] if is_view else "", "enforce", "", "permitted",
                    SHOWN[chance.randrange(100)] if is_view and team != BLIND_TEAM else "",
                )
            )  # fmt: skip
            customer = 0 if idx % 500 == 0 else int(CUSTOMERS * chance.random() ** 2)
            rows["detail_subject"].append((idx, 0, f"c-{customer:07}", piece[:SUBJECT_BYTES]))
        self._index(start, end, rows)
        return rows

    def _index(self, start: int, end: int, rows: Rows) -> None:
        events = rows["detail_event"]
        for block in range(start // BLOCK, end // BLOCK):
            offset = block * BLOCK - start
            clear = [
                (e[0], e[3], e[5], e[4], e[6], e[7], e[9], e[13], e[14], e[18])
                for e in events[offset : offset + BLOCK]
            ]
            for _, at, *_ in clear:
                self.high = max(self.high, at)
                self.late = max(self.late, self.high - at)
            low = min(at for _, at, *_ in clear)
            rows["log_block"].append((block, self.high, self.late, low))
            rows["log_term"] += [
                (tenant, term, block, bits.to_bytes(BLOCK_BYTES))
                for (tenant, term), bits in bits_of(clear).items()
            ]


def fill_sqlite(path: Path, size: int) -> None:
    """Fill a migrated file; indexes are made afterwards, as they would stand by then."""
    link = sqlite3.connect(path)
    link.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-400000")
    indexes = link.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('entry', 'detail_event', 'detail_subject')"
    ).fetchall()
    for name, _ in indexes:
        link.execute(f"DROP INDEX {name}")
    for rows in Maker(size).batches():
        for name, columns in TABLES.items():
            marks = ",".join("?" * len(columns))
            statement = f"INSERT INTO {name} ({','.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
            link.executemany(statement, rows[name])
        link.commit()
    for _, statement in indexes:
        link.execute(statement)
    link.execute("UPDATE tree_head SET size = ?", (size,))
    link.commit()
    link.execute("PRAGMA journal_mode=WAL")
    link.close()


def fill_postgresql(url: str, size: int) -> None:
    """Fill a migrated database by COPY, a session for each table.

    Keys and indexes are made afterwards, without the references between the tables; what no crash
    has to survive is not written twice either.
    """
    dsn = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(dsn, autocommit=True) as link:
        keys = link.execute(
            "SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype IN ('f', 'p', 'u') AND"
            " (conrelid::regclass::text = ANY(%(names)s)"
            " OR confrelid::regclass::text = ANY(%(names)s))"
            " ORDER BY contype",
            {"names": list(TABLES)},
        ).fetchall()
        for table, name, *_ in keys:
            link.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
        indexes = link.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", [list(TABLES)]
        ).fetchall()
        for name, _ in indexes:
            link.execute(f"DROP INDEX {name}".encode())
        for table in TABLES:
            link.execute(f"ALTER TABLE {table} SET UNLOGGED".encode())
        copy_all(dsn, size)
        link.execute("SET maintenance_work_mem = '1GB'")
        made = [
            f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}"
            for table, name, kind, text in keys
            if kind != "f"
        ]
        for statement in (*made, *(text for _, text in indexes)):
            link.execute(statement.encode())
        link.execute("UPDATE tree_head SET size = %s", (size,))
        link.execute("VACUUM ANALYZE")


def copy_all(dsn: str, size: int) -> None:
    """Send the rows of each table through a session and a thread of its own."""
    waiting: dict[str, Queue[list[tuple[Any, ...]] | None]] = {
        name: Queue(maxsize=2) for name in TABLES
    }
    with ThreadPoolExecutor(len(TABLES)) as pool:
        done = [pool.submit(copy_table, dsn, name, queue) for name, queue in waiting.items()]
        for rows in Maker(size).batches():
            for name, queue in waiting.items():
                queue.put(rows[name])
        for queue in waiting.values():
            queue.put(None)
        for one in done:
            one.result()


def copy_table(dsn: str, name: str, batches: "Queue[list[tuple[Any, ...]] | None]") -> None:
    """Copy the batches of one table until None comes."""
    columns = TABLES[name]
    types = [COPIED.get(type(METADATA.tables[name].c[one].type), "text") for one in columns]
    with psycopg.connect(dsn) as link, link.cursor() as cursor:
        copied = f"COPY {name} ({','.join(columns)}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(copied.encode()) as out:
            out.set_types(types)
            while (rows := batches.get()) is not None:
                for row in rows:
                    out.write_row(row)


def questions(size: int) -> dict[str, LogQuery]:
    """Every kind of question, each at its most common and its rarest."""
    base = LogQuery(tenant=TENANT, kinds=VIEW_KINDS)
    back = START + YEAR // 3
    return {
        "who saw customer X": replace(base, ref="c-0123456"),
        "who saw the customer that all look at": replace(base, ref="c-0000000"),
        "  in a month of last year, plain contact": replace(
            base, ref="c-0000000", since=back, until=back + 30 * DAY, field="contact", is_clear=True
        ),
        "what agent Y saw": replace(base, agent_id="agent-0042"),
        "  from the middle of the log": replace(base, agent_id="agent-0042", before=size // 2),
        "  with a reason that is rare (plain financial)": replace(
            base, agent_id="agent-0042", field="financial", is_clear=True
        ),
        "  in a week of last year": replace(
            base, agent_id="agent-0042", since=back, until=back + 7 * DAY
        ),
        "what AI agent Z saw": replace(base, agent_id="bot-1"),
        "all views (the tail)": base,
        "one vendor": replace(base, vendor="vendor-3"),
        "one team": replace(base, team="team-11"),
        "anything in plain, one vendor": replace(base, is_clear=True, vendor="vendor-3"),
        "contact data in plain, team, purpose": replace(
            base, field="contact", is_clear=True, team="team-11", purpose="outreach"
        ),
        "a rare purpose (some in a million)": replace(base, purpose="break_glass"),
        "  by a team that never has it": replace(base, purpose="break_glass", team="team-08"),
        "common terms that never meet": replace(base, team="team-09", field="identity"),
        "no link, reveals, one region": replace(
            base, link="none", kinds=(EntryKind.REVEAL,), regions=("us", "")
        ),
        "an hour eight months ago": replace(base, since=back, until=back + DAY // 24),
        "a month eight months ago, team, plain": replace(
            base, since=back, until=back + 30 * DAY, team="team-11", is_clear=True
        ),
    }


def timed(
    work: Callable[[], object], rounds: int, spent: Callable[[], float] = time.process_time
) -> tuple[list[float], list[float]]:
    """Milliseconds of each round, by the clock and by the processors, sorted."""
    wall, cpu = [], []
    for _ in range(rounds):
        began, before = time.perf_counter(), spent()
        work()
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((spent() - before) * 1000)
    return sorted(wall), sorted(cpu)


def processors(link: sa.Connection) -> Callable[[], float]:
    """Seconds of processor time that this process and the server's for `link` took so far."""
    if link.dialect.name == "sqlite":
        return time.process_time
    pid = link.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    spent = Path(f"/proc/{pid}/schedstat")
    return lambda: time.process_time() + int(spent.read_text().split()[0]) / 1e9


def ask_all(store: SqlStore, size: int, rounds: int) -> None:
    """Print a line for each question."""
    print(
        f"{'question':50} {'p50':>7} {'p99':>7} {'min':>7} {'cpu p50':>7} {'cpu min':>7}  entries"
    )
    for name, query in questions(size).items():
        with store.read() as view:
            answer = view.answer(query)
            spent = processors(view._connection)  # noqa: SLF001 - whose server process it is
            taken = timed(lambda view=view, query=query: view.answer(query), rounds, spent)  # type: ignore[misc]  # bound now
        note = " (ended at its bound)" if answer.following and len(answer.entries) < PAGE else ""
        show(name, taken, f"{len(answer.entries)}{note}")
    for name, query in {
        "count elsewhere: a customer": replace(LogQuery(tenant=TENANT), ref="c-0000000"),
        "count elsewhere: one vendor, plain": LogQuery(
            tenant=TENANT, vendor="vendor-3", is_clear=True
        ),
    }.items():
        asked = replace(query, kinds=VIEW_KINDS, not_regions=("eu", ""))
        with store.read() as view:
            found = view.count(asked, 1000)
            spent = processors(view._connection)  # noqa: SLF001 - as above
            taken = timed(lambda view=view, asked=asked: view.count(asked, 1000), rounds, spent)  # type: ignore[misc]  # bound now
        show(name, taken, f"{found.count}{'' if found.is_exact else '+'}")


def show(name: str, taken: tuple[list[float], list[float]], note: str) -> None:
    """One line of the table."""
    wall, cpu = taken
    worst = wall[min(len(wall) - 1, int(len(wall) * 0.99))]
    middle = f"{statistics.median(wall):7.2f} {worst:7.2f} {wall[0]:7.2f}"
    print(f"{name:50} {middle} {statistics.median(cpu):7.2f} {cpu[0]:7.2f}  {note}")


def plans(store: SqlStore, size: int) -> None:
    """Print the plan of each different statement of each question."""
    seen: set[str] = set()
    caught: list[tuple[str, object]] = []
    engine = store._readers  # noqa: SLF001 - where its statements pass

    def catch(_c: object, _cur: object, statement: str, values: object, *_: object) -> None:
        caught.append((statement, values))

    for name, query in questions(size).items():
        caught.clear()
        sa.event.listen(engine, "before_cursor_execute", catch)
        with store.read() as view:
            view.answer(query)
        sa.event.remove(engine, "before_cursor_execute", catch)
        for statement, values in tuple(caught):
            head = statement.split("FROM (", 1)[0] if "UNION" in statement else statement[:4000]
            shape = head.replace(" ", "")[:3000].translate(str.maketrans("", "", "0123456789?,"))
            if shape in seen:
                continue
            seen.add(shape)
            print(f"\n-- {name.strip()}\n   {' '.join(statement.split())[:400]}")
            word = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
            with engine.connect() as link:
                for row in link.exec_driver_sql(word + statement, values):  # type: ignore[arg-type]  # as it was run
                    print("   >", row[-1])


def opening(folder: Path, rounds: int) -> None:
    """What it adds to open and check the sealed parts of a page."""
    keyring = Keyring.open((folder / "root.key").as_uri(), folder / "keyring.json")
    vault = EntryVault(keyring)
    sealer = Sealer(vault, b"writer-1")
    subject = keyring.new_subject(TENANT, "eu", "crm", "1", Tier.STANDARD, False)  # noqa: FBT003 - a column
    subjects, page = {subject.ref: subject}, []
    for n, event in enumerate(events(PAGE)):
        new = NewEntry(
            kind=EntryKind.VIEW, event=event, subjects=(SubjectPart(customer=subject.ref),)
        )
        sealed = sealer.seal(new, writer_seq=n, subjects=subjects, next_n={})
        page.append(
            StoredEntry(
                index=n,
                leaf=sealed.leaf,
                leaf_hash=sealed.leaf_hash,
                epoch=sealed.epoch,
                sealed_event=sealed.sealed_event,
                refs=sealed.refs,
                sealed_subjects=sealed.sealed_subjects,
            )
        )
    taken = timed(lambda: [open_entry(one, vault, subjects) for one in page], rounds)
    show("opening and checking a page of 100", taken, "beside the above")


def events(count: int) -> Iterator[EventPart]:
    """Event parts of ordinary views."""
    chance = Random(2)  # noqa: S311 - made-up entries
    for n in range(count):
        agent = chance.randrange(AGENTS)
        yield EventPart(
            at=START + n * SECOND, kind="view", tenant=TENANT, agent=f"agent-{agent:04}",
            region="eu", vendor=f"vendor-{agent % 5}", site="site-1", team=f"team-{agent % TEAMS}",
            purpose=PURPOSES[chance.randrange(100)], link=LINKS[chance.randrange(100)],
            classes=dict(word.split("=") for word in SHOWN[chance.randrange(100)].split()),
        )  # fmt: skip


BARE = ("DROP INDEX ix_detail_event_tenant_actor_idx",)
BEFORE = (
    *BARE,
    "CREATE INDEX ix_1 ON detail_event (tenant, team, idx)",
    "CREATE INDEX ix_2 ON detail_event (tenant, at)",
)
APPENDS: dict[str, tuple[tuple[str, ...], bool]] = {
    "with the term index": ((), True),
    "with the b-trees of before": (BEFORE, False),
    "with neither": (BARE, False),
}


def appending(folder: Path, rounds: int, entries: int, size: int) -> None:
    """Print what appending costs with the term index, and with what it replaced."""
    sealer = PlainSealer(b"writer-1")
    sealed = [
        sealer.seal(
            NewEntry(kind=EntryKind.VIEW, event=event), writer_seq=n, subjects={}, next_n={}
        )
        for n, event in enumerate(events(entries))
    ]
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in APPENDS}
    for turn in range(rounds):
        for name in APPENDS:
            path = folder / f"append-{turn}.db"
            rates[name].append(append_rate(path, name, sealed, size))
            for file in folder.glob("append-*"):
                file.unlink()
    print(f"\nappending {entries} entries in commits of {size}, entries per second (best, median)")
    for name, found in rates.items():
        cpu, wall = zip(*found, strict=True)
        print(
            f"  {name:30} processor {max(cpu):9,.0f} {statistics.median(cpu):9,.0f}"
            f"   clock {max(wall):9,.0f} {statistics.median(wall):9,.0f}"
        )


def append_rate(
    path: Path, name: str, sealed: Sequence[SealedEntry], size: int
) -> tuple[float, float]:
    """Entries per second of the processor and of the clock."""
    statements, is_indexed = APPENDS[name]
    migrate.upgrade(sqlite_url(path))
    with contextlib.closing(sqlite3.connect(path)) as link:
        for statement in statements:
            link.execute(statement)
    with SqlStore(sqlite_url(path)) as store, contextlib.ExitStack() as undo:
        if not is_indexed:
            undo.enter_context(mock.patch.object(EntryWrites, "index_blocks"))
        began, spent = time.perf_counter(), time.process_time()
        for start in range(0, len(sealed), size):
            with store.begin() as rows:
                rows.append(sealed[start : start + size])
        return (
            len(sealed) / (time.process_time() - spent),
            len(sealed) / (time.perf_counter() - began),
        )


@contextlib.contextmanager
def database(engine: str, folder: Path, size: int, used: str) -> Iterator[str]:
    """URL of a filled database, removed afterwards."""
    if used:
        yield used if "://" in used else sqlite_url(Path(used))
        return
    if engine == "sqlite":
        path = folder / "answers.db"
        url = sqlite_url(path)
        migrate.upgrade(url)
        fill_sqlite(path, size)
        print(f"{path.stat().st_size / 2**30:.1f} GB")
        yield url
        return
    with shared_server(folder) as server, server.fresh_database() as url:
        fill_postgresql(url, size)
        yield url


def main(words: Iterable[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--appends", type=int, default=30_000, help="0: do not measure appends")
    parser.add_argument("--use", default="", help="a file or URL that was filled before")
    parser.add_argument("--folder", type=Path, default=None, help="where there is room")
    given = parser.parse_args(None if words is None else list(words))
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="answers-") as name:
        folder = Path(name)
        began = time.perf_counter()
        with database(given.engine, folder, given.entries, given.use) as url:
            made = time.perf_counter() - began
            print(f"{given.entries:,} entries on {given.engine}, made in {made:.0f} s\n")
            with SqlStore(url) as store:
                ask_all(store, given.entries, given.rounds)
                opening(folder, given.rounds)
                plans(store, given.entries)
        if given.appends:
            appending(folder, 7, given.appends // 8, 16)
            appending(folder, 7, given.appends, 512)


if __name__ == "__main__":
    main()
