import json
from pathlib import Path

import pytest

from api.places import export_signer, open_keyring
from api.settings import load_settings
from guard.history import CustomerHistory, OwnHistoryDocument
from guard.history.document import sign_history
from guard.ledger.note import NoteSigner
from policies.model import ActorKind, Role
from tests.support.rig import Rig, make_caller
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


def test_ones_own_is_checked_as_a_customers_is(
    guard: Guard, data_dir: Path, tmp_path: Path
) -> None:
    assert data_dir.is_dir()
    settings = load_settings()
    signer = export_signer(open_keyring(settings), settings)
    document = OwnHistoryDocument(
        origin=signer.verifier.name,
        size=7,
        root="ab",
        person="a1",
        as_of="2026-11-18T12:00:00Z",
        history={"activity": [{}, {}], "look_ups": [], "retention": "r"},
    )
    file = tmp_path / "own.txt"
    file.write_bytes(sign_history(document, signer))
    said = guard("verify-history", file)
    assert said.code == 0
    assert ": what is logged about a1 as of 2026-11-18T12:00:00Z\n" in said.out
    assert "\nactivity: 2, look_ups: 0\n" in said.out
    assert "\nlog of 7 entries, root ab\n" in said.out
    file.write_bytes(file.read_bytes().replace(b'"a1"', b'"a2"'))
    assert guard("verify-history", file).code == 1


def test_a_changed_history_is_found(guard: Guard, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes().replace(b"gave you", b"took you"))
    said = guard("verify-history", kept)
    assert said.code == 1
    assert "does not hold" in said.err
