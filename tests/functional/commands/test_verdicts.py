"""What an operator learns from the ledger that a real morning left behind."""

import json
from pathlib import Path

import anyio
import pytest

from api.cli.opened import services
from api.settings import Settings
from tests.unit.api.installation import TENANT, Guard

EXPORT = ("export", "--tenant", TENANT, "--as")


def test_the_morning_holds_under_its_checkpoint(guard: Guard, home: Path) -> None:
    ran = guard("verify", "--data-dir", home, "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert found["opened"] == found["size"] > found["checkpoint_size"] > 0


@pytest.mark.usefixtures("home")
def test_the_counters_are_what_the_log_says(guard: Guard) -> None:
    ran = guard("quotas", "rebuild", "--check", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert found["wrong"] == []
    assert any(row["used"] == 1 for row in found["used"])


@pytest.mark.usefixtures("home")
def test_an_auditor_takes_the_log_out_and_that_is_in_it_too(guard: Guard, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    assert guard(*EXPORT, "aud", "--out", first).code == 0
    assert guard(*EXPORT, "aud", "--out", second).code == 0
    kinds = [
        [json.loads(line)["kind"] for line in file.read_text().splitlines()]
        for file in (first, second)
    ]
    assert kinds[0].count("view") == 1
    assert (kinds[0].count("export"), kinds[1].count("export") > 0) == (0, True)


@pytest.mark.usefixtures("home")
def test_a_file_that_is_there_is_not_written_over(guard: Guard, tmp_path: Path) -> None:
    out = tmp_path / "log.ndjson"
    out.write_text("precious")
    assert guard(*EXPORT, "aud", "--out", out).code == 65
    assert out.read_text() == "precious"


@pytest.mark.parametrize("who", ["left", "nobody"])
@pytest.mark.usefixtures("home")
def test_nothing_is_taken_out_in_the_name_of_somebody_who_is_not_there(
    guard: Guard, tmp_path: Path, who: str
) -> None:
    assert guard(*EXPORT, who, "--out", tmp_path / "log").code == 65
    assert not (tmp_path / "log").exists()


@pytest.mark.usefixtures("home")
def test_an_agent_takes_nothing_out(guard: Guard, tmp_path: Path) -> None:
    assert guard(*EXPORT, "a1", "--out", tmp_path / "log").code == 77


def test_a_changed_entry_is_named(guard: Guard, settings: Settings) -> None:
    async def leaf_of(index: int) -> bytes:
        async with services(settings) as opened:
            (entry,) = await opened.readers.read(lambda view: view.entries(index, 1))
            return entry.leaf

    leaf = anyio.run(leaf_of, 3)
    ledger = settings.data_dir / "ledger.db"
    content = ledger.read_bytes()
    ledger.write_bytes(content.replace(leaf, leaf[:-1] + bytes([leaf[-1] ^ 1])))
    ran = guard("verify")
    assert ran.code == 1
    assert "entry 3" in ran.err
