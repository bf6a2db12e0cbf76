import json
from pathlib import Path

import pytest

from api.places import export_signer, open_keyring
from api.settings import load_settings
from guard.history import CustomerHistory
from guard.ledger.note import NoteSigner
from policies.model import ActorKind, Role
from tests.contracts.guard.reconciliation.counting import counted
from tests.support.people import AGENT, DIRECTORY
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard

PORTAL = make_caller(
    "portal", role=Role.SERVICE, kind=ActorKind.SERVICE, scopes=frozenset({"history:read"})
)


@pytest.fixture
def kept(fill: Fill, tmp_path: Path, data_dir: Path) -> Path:
    """A customer's history, as the service of this data folder signs it."""
    assert data_dir.is_dir()
    file = tmp_path / "history.txt"

    async def ask(rig: Rig) -> None:
        settings = load_settings()
        signer: NoteSigner = export_signer(open_keyring(settings), settings)
        histories = CustomerHistory(rig.committer, rig.readers, rig.clock, rig.vault, signer)
        (ref,) = await rig.customers(1)
        page = await histories.page(PORTAL, ref, before=None, limit=1)
        file.write_bytes(page.note)

    fill(ask)
    return file


def test_a_kept_history_is_checked_with_the_key_alone(guard: Guard, kept: Path) -> None:
    said = guard("verify-history", kept)
    assert said.code == 0
    assert "1 rows, nothing older" in said.out
    vkey = next(line for line in said.out.splitlines() if line.startswith("key ")).split()[1]
    again = json.loads(guard("verify-history", kept, "--vkey", vkey, "--json").out)
    assert again["vkey"] == vkey
    assert again["document"]["rows"][0]["act"] == "gave you this history"


def test_a_changed_history_is_found(guard: Guard, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes().replace(b"gave you", b"took you"))
    said = guard("verify-history", kept)
    assert said.code == 1
    assert "does not hold" in said.err


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
