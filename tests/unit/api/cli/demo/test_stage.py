"""A small stage, set by the real services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.bootstrap import Services, build
from api.cli.demo.cast import BOT_OWNER, DIRECTOR, TENANT, Cast, choose, directory
from api.cli.demo.stage import (
    CRM_FILE,
    DAY_BEGINS,
    MAPPING_FILE,
    MARKER,
    clear,
    populate,
    set_clock,
    write_crm,
)
from api.settings import Settings
from detectors.floor import customer_key
from detectors.floor_actions import View
from guard.clock import DAY, HOUR, SECOND, Rate, wall_micros
from guard.entries import EntryKind
from guard.errors import ConfigurationError
from guard.sources import open_source
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from policies.model import Purpose
from tests.support.makers import NOON

MIDNIGHT = NOON // DAY * DAY


@pytest.fixture(scope="module")
def cast() -> Cast:
    return choose(7, MIDNIGHT, customers=300, agents=60)


def test_an_empty_folder_becomes_a_demos(tmp_path: Path) -> None:
    clear(tmp_path / "new" / "demo")
    assert (tmp_path / "new" / "demo" / MARKER).is_file()
    assert (tmp_path / "new" / "demo").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    clear(tmp_path / "demo")
    (tmp_path / "demo" / "ledger.db").write_bytes(b"of yesterday")
    clear(tmp_path / "demo")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [MARKER]


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "ledger.db"
    precious.write_bytes(b"precious")
    with pytest.raises(ConfigurationError, match="no demo made"):
        clear(tmp_path)
    assert precious.read_bytes() == b"precious"


@pytest.mark.anyio
async def test_the_crm_holds_every_customer_of_the_floor(tmp_path: Path, cast: Cast) -> None:
    write_crm(tmp_path, cast)
    assert (tmp_path / CRM_FILE).is_file()
    source = open_source((tmp_path / MAPPING_FILE).read_bytes(), MAPPING_FILE, secrets={})
    last = cast.floor.customers[-1]
    for number in (cast.floor.customers[0].id, last.id):
        record = await source.fetch(customer_key(number), frozenset({"full_name"}))
        assert record is not None
        assert record.values["full_name"]
    await source.close()


@pytest.fixture
def services(sqlite_template: Path, tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    store = SqlStore(sqlite_url(tmp_path / "ledger.db"))
    with store.begin() as rows:
        rows.put_clock_rate(Rate(origin=MIDNIGHT - HOUR, wall_origin=wall_micros(), rate=1.0))
    store.close()
    # Enrolling in large pieces on a busy machine is not what these tests are about.
    built = build(Settings(data_dir=tmp_path, admit_deadline_s=60))
    built._writer.start()  # noqa: SLF001 - without what else runs beside requests
    yield built
    built._writer.close()  # noqa: SLF001 - as above
    built.store.close()


@pytest.mark.anyio
async def test_everybody_and_every_customer_is_put(services: Services, cast: Cast) -> None:
    refs = await populate(services, cast)
    assert refs.keys() == {customer.id for customer in cast.floor.customers}
    assert len(set(refs.values())) == len(refs)
    rows = await services.readers.read(lambda view: view.principals(TENANT))
    assert {row.id for row in rows} == {row.id for row in directory(cast)}


@pytest.mark.anyio
async def test_outreach_has_a_list_that_another_line_approved(
    services: Services, cast: Cast
) -> None:
    await populate(services, cast)
    called = {
        a.customer for a in cast.actions if isinstance(a, View) and a.purpose is Purpose.OUTREACH
    }
    row = await services.readers.read(lambda view: view.work_list(TENANT, "spring-offer"))
    assert (row is not None) == bool(called)
    if row is not None:
        assert (row.first_approved_by, row.approved_by) == (DIRECTOR, BOT_OWNER)
        assert row.size == len(called)


@pytest.mark.anyio
async def test_the_day_begins_soon_and_the_ledger_says_so(services: Services, cast: Cast) -> None:
    before = wall_micros()
    rate = await set_clock(services, cast, rate=500.0, in_s=3.0)
    assert (rate.origin, rate.rate) == (MIDNIGHT + DAY_BEGINS, 500.0)
    assert rate.wall_origin - before >= 3 * SECOND
    kept = await services.readers.read(lambda view: view.clock_rate())
    assert kept == rate
    size, _ = await services.readers.read(lambda view: view.head())
    (last,) = await services.readers.read(lambda view: view.entries(size - 1, 1))
    assert last.leaf[25] == EntryKind.CLOCK
