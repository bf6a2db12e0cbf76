import json
import sqlite3
from contextlib import closing
from pathlib import Path

from api.cli.quotas import charges
from guard.entries import Charge, EntryKind, EventPart, OpenedEntry, SubjectPart
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard


async def views(rig: Rig) -> None:
    agent = make_caller("a1")
    await rig.directory.put(make_caller("desk"), [row_of(agent)])
    for ref in await rig.customers(3):
        await rig.broker.view(agent, rig.asks(ref, await rig.case(ref)))
        await rig.broker.view(agent, rig.asks(ref))


def test_counters_come_out_equal(guard: Guard, fill: Fill) -> None:
    fill(views)
    said = guard("quotas", "rebuild", "--check", "--json")
    assert said.code == 0, said.out + said.err
    document = json.loads(said.out)
    assert document["wrong"] == []
    assert {row["used"] for row in document["used"]} >= {3, 6}


def test_a_counter_that_was_changed_is_found(guard: Guard, fill: Fill, data_dir: Path) -> None:
    fill(views)
    with closing(sqlite3.connect(data_dir / "ledger.db")) as file, file:
        file.execute("UPDATE budget_counter SET used = used - 1 WHERE used = 6")
    said = guard("quotas", "rebuild", "--check")
    assert said.code == 1
    assert "stored 5, rebuilt 6" in said.out
    assert guard("quotas", "rebuild").code == 0


def test_a_refund_names_the_view_that_it_takes_back() -> None:
    event = EventPart(
        at=9,
        kind="refund",
        tenant="t",
        agent="a",
        charges=(Charge("k", "views", -1),),
        body={"of": "e", "view_at": 5, "before": {"k": 2}},
    )
    entry = OpenedEntry(
        index=0,
        entry_id="",
        kind=EntryKind.REFUND,
        event=event,
        refs=("r",),
        subjects=(SubjectPart(customer="r"),),
    )
    (charged,) = charges(iter([entry]))
    assert (charged.view_at, charged.before) == (5, {"k": 2})


def test_an_entry_about_two_customers_is_charged_once() -> None:
    event = EventPart(
        at=9, kind="merge", tenant="t", agent="a", charges=(Charge("k", "contacts", 1),)
    )
    parts = (SubjectPart(customer="r"), SubjectPart(customer="s"))
    entry = OpenedEntry(
        index=0, entry_id="", kind=EntryKind.MERGE, event=event, refs=("r", "s"), subjects=parts
    )
    (charged,) = charges(iter([entry]))
    assert (charged.ref, charged.charges) == ("r", event.charges)
