"""One customer is forgotten, and everything that was promised about the rest of the log holds.

A morning of looks at several customers, among them one who is then erased by two people. What was
handed out before (checkpoints, bundles, a file) still verifies; nothing that is left anywhere opens
what was sealed for her, in the files of the database as they lie on the disk; what is exported and
asked later names nobody in her place; and what the log is the memory of (policies tried on it,
detection, budgets) comes out as before. Then an older backup is brought back, which knows her, and
all of it is looked at again.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.places import high_water, keyring_file, log_dir
from api.settings import Settings
from guard.entries import EntryKind
from guard.errors import ForkError
from guard.store.sql_store import SqlReader
from guard.vault.keyring import key_id
from tests.scenarios.forgotten import SOURCE_KEY, WHY_VIEWED, a_morning, opened_log
from tests.scenarios.forgotten_checks import (
    Before,
    check_bytes,
    check_history,
    check_nobody,
    check_proofs,
    clear_in,
    forget,
    handed_out,
    opened_by_what_is_left,
    shown_of,
)
from tests.support.disks import Disk, postgres_disk, sqlite_disk
from tests.support.makers import TENANT
from tests.support.service import AGENT, open_service, records, reopen_service

pytestmark = [pytest.mark.anyio, pytest.mark.functional]

RECORDS = records(12)
DECOY = "cust-00012"


@pytest.fixture(
    name="disk", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def _disk(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Disk]:
    """A database of the test's own, once per engine."""
    if request.param == "sqlite":
        with sqlite_disk(tmp_path / "ledger", sqlite_template) as opened:
            yield opened
    else:
        request.getfixturevalue("postgres")  # skips where none can be started
        with postgres_disk() as server:
            yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What the operator keeps of a day: the database, and beside it what was published by then."""

    folder: Path

    def take(self, disk: Disk, settings: Settings) -> None:
        """Keep it."""
        disk.back_up(self.folder / "database")
        shutil.copytree(log_dir(settings), self.folder / "log")
        shutil.copyfile(high_water(settings), self.folder / "mark")

    def publish_again(self, settings: Settings) -> None:
        """Go on with the log of that day; who was forgotten since is told by the erasures file."""
        shutil.rmtree(log_dir(settings))
        shutil.copytree(self.folder / "log", log_dir(settings))
        shutil.copyfile(self.folder / "mark", high_water(settings))

    def raw(self) -> dict[str, bytes]:
        """The files of the database."""
        files = [file for file in (self.folder / "database").rglob("*") if file.is_file()]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in files}


def check_the_search(before: Before, backup: Backup, keys: Path) -> None:
    """What finds nothing later finds everything now: it looks in the right places."""
    copy = backup.raw()
    assert before.remains.found_in(b"".join(copy.values())) == before.remains.count
    found = opened_by_what_is_left(keys, [], copy, before.remains)
    assert len(found) >= len(before.remains.parts)
    for typed in (SOURCE_KEY, WHY_VIEWED):
        assert any(typed.encode() in one for one in found)
    assert clear_in(copy, {AGENT}) == {AGENT}
    assert all(shown_of(path, before.her) for path in before.bundles)
    assert before.history.findings
    assert before.history.counters
    assert before.history.reports[0] != before.history.reports[1]


async def check_all(
    settings: Settings, before: Before, disk: Disk, backup: Backup, folder: Path
) -> None:
    """Everything that must hold while she is forgotten, of the service as it starts now."""
    async with reopen_service(settings, [before.her]) as service:
        await service.services.shredding.turn()
        check_bytes(service, before, [disk.raw(), backup.raw()])
        check_history(service, before)
        await check_nobody(service, before, folder)
    # What was done meanwhile is published by now.
    async with reopen_service(settings, [before.her]) as service:
        check_proofs(service, before)
        check_bytes(service, before, [disk.raw()])


async def test_one_customer_is_forgotten_for_good_and_all_else_stays_as_it_was(
    disk: Disk, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    async with open_service(disk.url, tmp_path / "data", RECORDS) as service:
        await a_morning(service, service.refs[0], DECOY)
        settings, refs = service.settings, service.refs
    async with reopen_service(settings, refs) as service:
        before = await handed_out(service, tmp_path, RECORDS[0])
    backup = Backup(folder=tmp_path)
    backup.take(disk, settings)
    check_the_search(before, backup, keyring_file(settings).parent)

    async with reopen_service(settings, refs) as service:
        await forget(service, before.her)
        check_bytes(service, before, [disk.raw(), backup.raw()])
    await check_all(settings, before, disk, backup, tmp_path)

    # The older database alone is behind what was signed since: nobody is served from it, and yet it
    # has forgotten her by then.
    disk.bring_back(tmp_path / "database")
    with pytest.raises(ForkError):
        async with reopen_service(settings, refs):
            pass
    with SqlReader(disk.url) as store, store.read() as view:
        assert view.subjects({before.her})[before.her].wrapped_key is None

    # Whoever goes on with it in spite of that brings back what was published that day, too.
    disk.bring_back(tmp_path / "database")
    backup.publish_again(settings)
    async with reopen_service(settings, refs) as service:
        (noted,) = [one for one in opened_log(service) if one.kind is EntryKind.RESTORED]
        assert noted.event.body["keys"] == [key_id(TENANT, before.her)]
    await check_all(settings, before, disk, backup, tmp_path)
