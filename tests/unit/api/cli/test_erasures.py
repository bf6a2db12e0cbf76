import json
from pathlib import Path

import pytest

from api.cli import erasures
from tests.support.makers import TENANT
from tests.support.people import put_people
from tests.support.rig import Rig
from tests.unit.api.cli.conftest import Fill, Guard

AS = ("--tenant", TENANT)
PROPOSE = ("--ground", "objection", "--reason", "wrote to us")


def test_two_people_forget_a_customer_and_a_restore_check_finds_nothing(
    guard: Guard, fill: Fill, data_dir: Path
) -> None:
    refs: list[str] = []

    async def people(rig: Rig) -> None:
        await put_people(rig)
        refs.extend(await rig.customers(2))

    fill(people)
    assert guard("erase", "status", *AS, "--as", "ana").out == "nobody was ever erased\n"
    assert guard("erase", "propose", refs[0], *PROPOSE, *AS).code == 65
    assert guard("erase", "propose", refs[0], *PROPOSE, *AS, "--as", "ghost").code == 65
    assert guard("erase", "propose", refs[0], *PROPOSE, *AS, "--as", "a1").code == 77
    said = guard("erase", "propose", refs[0], *PROPOSE, *AS, "--as", "ana", "--json")
    name = json.loads(said.out)["erasure"]["id"]
    held = guard(
        "hold", "set", "customer", refs[0], "--ground", "legal_claims", "--matter", "L-7", *AS,
        "--as", "ana",
    ).out.split()  # fmt: skip
    assert held[1:] == ["in", "force"]
    approved = guard("erase", "approve", name, *AS, "--as", "ben")
    assert f"{name} held\n" in approved.out
    assert f"kept by {held[0]}: legal_claims, L-7\n" in approved.out
    assert "waits for" in guard("hold", "lift", held[0], *AS, "--as", "ana").out
    assert "lifted" in guard("hold", "lift", held[0], *AS, "--as", "ben").out
    other = guard("erase", "propose", refs[1], *PROPOSE, *AS, "--as", "ana", "--json")
    assert other.code == 0, other.err
    second = json.loads(other.out)["erasure"]["id"]
    assert f"{second} recorded\n" in guard("erase", "approve", second, *AS, "--as", "ben").out
    listed = guard("erase", "status", *AS, "--as", "ana").out
    assert f"{second} done: {refs[1]}, objection\n" in listed
    assert f"{name} done" in listed
    assert len((data_dir / "erasures").read_text().splitlines()) == 3
    assert guard("restore-check").out.startswith("0 erasures replayed, 0 customers")
    assert json.loads(guard("restore-check", "--json").out)["unnamed"] == 0


def test_a_running_service_is_asked_where_there_is_one(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, object]] = []
    answer: dict[str, object] = {
        "erasure": {"id": "er-1", "state": "proposed"},
        "receipt": {"entry_id": "ab"},
        "held_by": [],
    }

    def call(_server: str, _token: Path | None, path: str, body: object) -> dict[str, object]:
        asked.append((path, body))
        return answer

    monkeypatch.setattr(erasures, "call", call)
    server = ("--server", "http://127.0.0.1:1", "--token-file", "t")
    assert guard("erase", "propose", "c1", *PROPOSE, *server).out == "er-1 proposed\nentry ab\n"
    assert guard("erase", "approve", "er-1", *server).code == 0
    assert asked == [
        ("/v1/erasures", {"customer": "c1", "ground": "objection", "reason": "wrote to us"}),
        ("/v1/erasures/er-1/approvals", None),
    ]
