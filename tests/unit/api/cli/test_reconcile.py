import json

from tests.contracts.guard.reconciliation.counting import counted
from tests.support.people import AGENT, DIRECTORY
from tests.support.rig import Rig, row_of
from tests.unit.api.cli.conftest import Fill, Guard


async def a_day(rig: Rig) -> None:
    made = counted(rig)
    await rig.directory.put(DIRECTORY, [row_of(AGENT)])
    (ref,) = await rig.customers(1)
    await made.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
    await made.reconciliation.count()


async def a_day_with_a_hole(rig: Rig) -> None:
    made = counted(rig)
    await made.source.fetch("1", frozenset({"email"}))
    await made.reconciliation.count()


def test_every_read_of_a_day_has_its_entry(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    said = guard("log", "reconcile")
    assert said.code == 0
    assert "(closed): 1 reads, 1 in entries, difference 0; every read has its entry" in said.out
    (one,) = json.loads(guard("log", "reconcile", "--json").out)["writers"]
    assert (one["reads"], one["entries"], one["difference"], one["bound"]) == (1, 1, 0, 0)


def test_a_read_without_an_entry_is_found(guard: Guard, fill: Fill) -> None:
    fill(a_day_with_a_hole)
    said = guard("log", "reconcile")
    assert said.code == 1
    assert "difference 1; at most 1 reads since" in said.out


def test_writers_can_be_bounded_by_time(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    assert "no writer began" in guard("log", "reconcile", "--since", "2100-01-01T00:00:00Z").out
    assert guard("log", "reconcile", "--since", "soon").code == 65
