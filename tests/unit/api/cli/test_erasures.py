import json
from pathlib import Path

import pytest

from api.cli import erasures
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import SECOND, put_people
from tests.support.rig import Rig
from tests.unit.api.cli.conftest import Fill, Guard

AS = ("--tenant", TENANT)
PROPOSE = ("--ground", "objection", "--reason", "wrote to us")
GROUND = ("--ground", "legal_claims", "--matter", "L-7")
HELD = {"id": "hold-1", "ground": "legal_claims", "matter": "L-7"}


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
    asked = ("hold", "set", "customer", refs[0], *GROUND)
    held = guard(*asked, *AS, "--as", "ana").out.split()
    assert held[1:] == ["in", "force"]
    assert "waits for" in guard("hold", "lift", held[0], *AS, "--as", "ana").out

    async def second(rig: Rig) -> None:
        oblivion = Oblivion.over(rig, data_dir)
        await oblivion.holds.lift(SECOND, held[0])
        await oblivion.erasures.approve(SECOND, name)

    fill(second)
    listed = guard("erase", "status", *AS, "--as", "ana").out
    assert f"{name} recorded: {refs[0]}, objection\n" in listed
    assert guard("restore-check").out.startswith("0 erasures replayed, 0 customers")
    assert json.loads(guard("restore-check", "--json").out)["unnamed"] == 0


def test_whoever_has_the_data_folder_is_no_second_person(guard: Guard, fill: Fill) -> None:
    refs: list[str] = []

    async def people(rig: Rig) -> None:
        await put_people(rig)
        refs.extend(await rig.customers(1))

    fill(people)
    said = guard("erase", "propose", refs[0], *PROPOSE, *AS, "--as", "ana", "--json")
    name = json.loads(said.out)["erasure"]["id"]
    refused = guard("erase", "approve", name, *AS, "--as", "ben")
    assert refused.code == 2
    held = guard("hold", "set", "customer", refs[0], *GROUND, *AS, "--as", "ana").out.split()[0]
    assert guard("hold", "lift", held, *AS, "--as", "ana").code == 0
    refused = guard("hold", "lift", held, *AS, "--as", "ben")
    assert (refused.code, "--server" in refused.err) == (77, True)
    assert f"{name} proposed: " in guard("erase", "status", *AS, "--as", "ana").out


def test_a_stretch_of_time_is_held_by_its_range_alone(guard: Guard, fill: Fill) -> None:
    fill(put_people)
    asked = ("hold", "set", "time", *GROUND, *AS, "--as", "ana")
    assert guard(*asked).code == 65
    assert guard(*asked, "--since", "yesterday").code == 65
    held = guard(
        *asked, "--since", "2026-11-01T00:00:00Z", "--until", "2026-12-01T00:00:00Z", "--json"
    )
    said = json.loads(held.out)
    assert (said["scope"], said["value"]) == ("time", "")
    assert (said["since"][:10], said["until"][:10]) == ("2026-11-01", "2026-12-01")


def test_a_running_service_is_asked_where_there_is_one(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, object]] = []
    row: dict[str, object] = {
        "id": "er-1",
        "state": "proposed",
        "customer": "c1",
        "ground": "objection",
    }
    step: dict[str, object] = {"erasure": row, "receipt": {"entry_id": "ab"}, "held_by": [HELD]}
    hold: dict[str, object] = {"id": "hold-1", "lift_by": None, "lifted_by": None}

    def call(_server: str, _token: Path | None, path: str, body: object) -> dict[str, object]:
        asked.append((path, body))
        if path == "/v1/holds":
            return hold
        return step if "erasures" in path else hold | {"lift_by": "ana", "lifted_by": "ben"}

    def read(_server: str, _token: Path | None, path: str, body: object) -> dict[str, object]:
        asked.append((path, body))
        return {"erasures": [row]}

    monkeypatch.setattr(erasures, "call", call)
    monkeypatch.setattr(erasures, "read", read)
    server = ("--server", "http://127.0.0.1:1", "--token-file", "t")
    said = "er-1 proposed\nentry ab\nkept by hold-1: legal_claims, L-7\n"
    assert guard("erase", "propose", "c1", *PROPOSE, *server).out == said
    assert guard("erase", "approve", "er-1", *server).out == said
    assert guard("erase", "status", *server).out == "er-1 proposed: c1, objection\n"
    assert guard("hold", "set", "agent", "a1", *GROUND, *server).out == "hold-1 in force\n"
    assert guard("hold", "lift", "hold-1", *server).out == "hold-1 lifted\n"
    asked_for = {"ground": "legal_claims", "matter": "L-7", "since": None, "until": None}
    assert asked == [
        ("/v1/erasures", {"customer": "c1", "ground": "objection", "reason": "wrote to us"}),
        ("/v1/erasures/er-1/approvals", None),
        ("/v1/erasures", {}),
        ("/v1/holds", {"scope": "agent", "value": "a1"} | asked_for),
        ("/v1/holds/hold-1/lifts", None),
    ]
