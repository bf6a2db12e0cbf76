"""Sets the stage: a data folder of its own, with everything in it that a day needs.

Runs in the demo's process before the service starts. It goes through the same services as the API,
so every person, customer and list has its entry. The worker already learns the weeks before while
customers are enrolled. Setting the domain clock is the last act: the day begins a few real seconds
later and passes `rate` times as fast.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from api import baselines
from api.cli.demo.cast import BOT_OWNER, DIRECTOR, REGION, SYNC, TENANT, Cast, acting, directory
from api.cli.demo.crm import SOURCE, make_crm, mapping_text
from api.cli.detection import record_baseline
from api.identity.scopes import ALL
from detectors.floor import customer_key
from detectors.floor_actions import View
from detectors.floor_records import crm_rows
from guard.clock import DAY, HOUR, MINUTE, SECOND, Micros, Rate, wall_micros
from guard.enrolment import CustomerPut
from guard.entries import SYSTEM, BodyValue, EntryKind, NewEntry, system_event
from guard.errors import ConfigurationError
from guard.events import History
from guard.ports import Transaction
from guard.purposes.work_lists import WorkListPut
from guard.rows import PrincipalRow
from policies.model import Purpose, Tier

if TYPE_CHECKING:
    from api.bootstrap import Services

T = TypeVar("T")

MARKER = ".recordguard-demo"
CRM_FILE, MAPPING_FILE = "crm.db", "crm.toml"
# Customers in one transaction: large enough to be quick, small enough not to meet a deadline.
BATCH = 250
# The day begins when the earliest shift is about to: nobody works before.
DAY_BEGINS: Micros = HOUR + 30 * MINUTE


def clear(folder: Path) -> None:
    """Make an empty demo folder; one that is not a demo's is left alone.

    Raises:
        ConfigurationError: The folder holds something that no demo made.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise ConfigurationError(
                f"`{folder}` holds something that no demo made: choose another with --data-dir"
            )
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARKER).write_text("made by `guard demo`, which empties this folder at its start\n")


def write_crm(folder: Path, cast: Cast) -> None:
    """Make the company's CRM, and the mapping by which the broker knows it."""
    rows = crm_rows(cast.floor.seed, len(cast.floor.customers))
    pairs = ((customer_key(c.id), row) for c, row in zip(cast.floor.customers, rows, strict=True))
    make_crm(folder / CRM_FILE, pairs)
    (folder / MAPPING_FILE).write_text(mapping_text(folder / CRM_FILE))


async def write_baseline(opened: "Services", history: History) -> None:
    """Seal the days before, for the detectors to learn from."""
    plain = baselines.encode(history)
    await record_baseline(opened, TENANT, "the week before", plain, len(history.events))


async def populate(opened: "Services", cast: Cast) -> dict[int, str]:
    """Put people, customers and the outreach list; the references by customer number."""
    rows = directory(cast)
    by_id = {row.id: row for row in rows}
    sync = acting(by_id[SYNC], frozenset(ALL))
    for people in _pieces(rows, BATCH):
        await opened.directory.put(sync, people)
    refs: dict[int, str] = {}
    for customers in _pieces(cast.floor.customers, BATCH):
        puts = {
            c.id: CustomerPut(
                source=SOURCE, source_key=customer_key(c.id), region=REGION, tier=Tier(c.tier)
            )
            for c in customers
        }
        found = await opened.enrolment.enrol(sync, list(puts.values()))
        refs |= {number: found[put.source, put.source_key] for number, put in puts.items()}
    await _put_work_list(opened, cast, refs, by_id)
    return refs


async def _put_work_list(
    opened: "Services", cast: Cast, refs: dict[int, str], by_id: dict[str, PrincipalRow]
) -> None:
    called = [a for a in cast.actions if isinstance(a, View) and a.purpose is Purpose.OUTREACH]
    if not called:
        return
    team = by_id[called[0].agent_id].team
    lead = by_id[by_id[called[0].agent_id].line[0]]
    put = WorkListPut(
        id="spring-offer",
        team=team,
        campaign="spring-offer",
        starts_at=opened.clock.now(),
        ends_at=cast.midnight + 2 * DAY,
        customers=tuple(sorted({refs[a.customer] for a in called})),
    )
    await opened.work_lists.propose(acting(lead, frozenset(ALL)), put)
    for approver in (DIRECTOR, BOT_OWNER):
        who = acting(by_id[approver], frozenset(ALL))
        digest = (await opened.work_lists.get(who, put.id)).digest
        await opened.work_lists.approve(who, put.id, digest)


async def set_clock(opened: "Services", cast: Cast, *, rate: float, in_s: float) -> Rate:
    """Let the day begin `in_s` real seconds from now and pass `rate` times as fast."""
    clock = Rate(
        origin=cast.midnight + DAY_BEGINS,
        wall_origin=wall_micros() + round(in_s * SECOND),
        rate=rate,
    )

    def work(tx: Transaction) -> None:
        tx.rows.put_clock_rate(clock)
        body: dict[str, BodyValue] = {
            "origin": clock.origin,
            "rate": clock.rate,
            "by": "guard demo",
        }
        event = system_event(SYSTEM, EntryKind.CLOCK, opened.clock.now(), body)
        tx.record(NewEntry(kind=EntryKind.CLOCK, event=event))

    await opened.committer.run(work)
    return clock


def _pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[i : i + size] for i in range(0, len(items), size))
