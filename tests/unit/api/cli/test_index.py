"""`guard index build`, over a data folder with a CRM of the test's own."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio.to_thread  # a command starts a loop of its own
import pytest

from api.cli.opened import services
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.makers import TENANT
from tests.unit.api.cli.conftest import Guard
from tests.unit.api.installation import settings_of, work_a_morning, write_crm

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def refs(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_crm(data_dir)
    monkeypatch.setenv("RECORDGUARD_MAPPING_FILE", str(data_dir / "crm.toml"))
    return await work_a_morning(data_dir)


async def found(data_dir: Path, kind: str, value: str) -> tuple[str, ...]:
    async with services(settings_of(data_dir)) as opened:
        return await opened.identifiers.find(TENANT, kind, value)


def build(guard: Guard, *more: str) -> dict[str, object]:
    said = guard("index", "build", "--tenant", TENANT, "--rate", "10000", "--json", *more)
    assert said.code == 0, said.err
    document: dict[str, object] = json.loads(said.out)
    return document


async def test_customers_of_the_source_are_found_after_a_build(
    guard: Guard, refs: list[str], data_dir: Path
) -> None:
    said = await anyio.to_thread.run_sync(build, guard)
    assert (said["read"], said["identifiers"], said["resumed"]) == (2, 8, False)
    both = await found(data_dir, "email", "maria.gonzalez@example.com")
    assert both == tuple(sorted(refs))
    assert await found(data_dir, "phone", "+34 612345678") == both
    assert json.loads((data_dir / "index-cursor.json").read_text()) == {}


def run(guard: Guard, *words: str) -> tuple[int, str, str]:
    said = guard("index", "build", "--tenant", TENANT, "--rate", "10000", *words)
    return said.code, said.out, said.err


async def test_it_says_what_it_does_and_never_a_value(
    guard: Guard, refs: list[str], data_dir: Path
) -> None:
    with closing(sqlite3.connect(data_dir / "crm.db")) as file, file:
        file.execute("DELETE FROM customers WHERE id = '2'")
    code, out, err = await anyio.to_thread.run_sync(run, guard)
    line = (
        "2 customers read, 4 identifiers indexed, 1 gone from the source, 0 values unusable,"
        " 0 could not be read\n"
    )
    assert (code, out, err) == (0, line, line)
    assert len(refs) == 2


async def test_a_stopped_walk_goes_on_where_it_stood_unless_told_otherwise(
    guard: Guard, refs: list[str], data_dir: Path
) -> None:
    cursor = data_dir / "index-cursor.json"
    cursor.write_text(json.dumps({TENANT: min(refs), "globex": "c9"}))
    said = await anyio.to_thread.run_sync(build, guard)
    assert (said["read"], said["resumed"]) == (1, True)
    assert json.loads(cursor.read_text()) == {"globex": "c9"}
    cursor.write_text(json.dumps({TENANT: max(refs)}))
    said = await anyio.to_thread.run_sync(build, guard, "--restart")
    assert said["read"] == 2
    cursor.write_text("half a cur")
    assert (await anyio.to_thread.run_sync(build, guard))["read"] == 2


async def test_since_leaves_out_who_is_indexed_and_was_not_touched(
    guard: Guard, refs: list[str]
) -> None:
    await anyio.to_thread.run_sync(build, guard)
    said = await anyio.to_thread.run_sync(build, guard, "--since", "2199-01-01T00:00:00Z")
    assert said == {"tenant": TENANT, "resumed": False}
    said = await anyio.to_thread.run_sync(build, guard, "--since", "2020-01-01T00:00:00Z")
    assert said["read"] == len(refs) == 2
    code, _, err = await anyio.to_thread.run_sync(run, guard, "--since", "yesterday")
    assert (code, "RFC 3339" in err) == (65, True)


async def test_a_source_that_cannot_be_read_is_said_and_the_place_kept(
    guard: Guard, refs: list[str], data_dir: Path
) -> None:
    (data_dir / "crm.db").write_bytes(b"no database")
    code, _, err = await anyio.to_thread.run_sync(run, guard)
    assert code != 0
    assert "maria" not in err
    assert refs


async def test_some_customers_that_could_not_be_read_are_an_exit_code(
    guard: Guard, refs: list[str], data_dir: Path
) -> None:
    with closing(sqlite3.connect(data_dir / "ledger.db")) as file, file:
        file.execute("UPDATE subject SET source = 'other' WHERE ref = ?", (refs[0],))
    code, out, _ = await anyio.to_thread.run_sync(run, guard)
    assert code == 1
    assert "1 could not be read" in out


async def test_while_the_service_runs_it_says_so(
    guard: Guard, refs: list[str], data_dir: Path
) -> None:
    held = SqlStore(sqlite_url(data_dir / "ledger.db"))
    code, _, err = await anyio.to_thread.run_sync(run, guard)
    held.close()
    assert code == 78
    assert "another broker process" in err
    assert refs
