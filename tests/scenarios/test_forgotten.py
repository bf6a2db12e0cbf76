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
from pathlib import Path

import pytest

from api.places import erasures_file, high_water, keyring_file, log_dir
from guard.entries import EntryKind
from guard.errors import ForkError
from guard.vault.keyring import key_id
from tests.scenarios.forgotten import SOURCE_KEY, a_morning, opened_log
from tests.scenarios.forgotten_checks import (
    check_history,
    check_nobody,
    check_proofs,
    clear_in,
    everybody,
    forget,
    handed_out,
    newest_note,
    opened_by_what_is_left,
    shown_of,
)
from tests.support.disks import Disk, postgres_disk, sqlite_disk
from tests.support.makers import TENANT
from tests.support.service import open_service, records, reopen_service

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


async def test_one_customer_is_forgotten_for_good_and_all_else_stays_as_it_was(
    disk: Disk, tmp_path: Path
) -> None:
    folder, backup = tmp_path / "data", tmp_path / "backup"
    folder.mkdir()
    async with open_service(disk.url, folder, RECORDS) as service:
        await a_morning(service, service.refs[0], DECOY)
        settings, refs = service.settings, service.refs
    async with reopen_service(settings, refs) as service:
        first = newest_note(service)
        before = await handed_out(service, tmp_path, RECORDS[0], [first])
        rows_then = everybody(service)
    keys = keyring_file(settings).parent
    assert before.history.findings
    assert before.history.reports[0] != before.history.reports[1]
    assert all(shown_of(path, before.her) for path in before.bundles)

    # What the operator keeps of that day: the database, and for the story's end the published log.
    disk.back_up(backup)
    published = tmp_path / "published"
    shutil.copytree(log_dir(settings), published)
    shutil.copyfile(high_water(settings), tmp_path / "mark")
    copy = read_files(backup)
    # The search that finds nothing later finds everything now: it looks in the right places.
    assert before.remains.found_in(b"".join(copy.values())) == before.remains.count
    found = opened_by_what_is_left(keys, [], copy, before.remains)
    assert len(found) >= len(before.remains.parts)
    assert SOURCE_KEY.encode() in found

    async with reopen_service(settings, refs) as service:
        await forget(service, before.her)
        rows_now = everybody(service)
        for raw in (disk.raw(), copy):
            rows = rows_then + rows_now
            assert opened_by_what_is_left(keys, rows, raw, before.remains) == []
            assert clear_in(raw, before.values) == set()
        check_history(service, before)
        await check_nobody(service, before, tmp_path)
    async with reopen_service(settings, refs) as service:
        check_proofs(service, before)
    assert opened_by_what_is_left(keys, rows, disk.raw(), before.remains) == []
    assert before.her.encode() not in b"".join(read_files(keys).values())

    # The older database alone is behind what was signed since: it is refused, and yet knows her no
    # more. Whoever goes on with it in spite of that brings the published log of that day back too.
    disk.bring_back(backup)
    with pytest.raises(ForkError):
        async with reopen_service(settings, refs):
            pass
    disk.bring_back(backup)
    shutil.rmtree(log_dir(settings))
    shutil.copytree(published, log_dir(settings))
    shutil.copyfile(tmp_path / "mark", high_water(settings))
    assert erasures_file(settings).exists()
    async with reopen_service(settings, refs) as service:
        await service.services.shredding.turn()
        (noted,) = [one for one in opened_log(service) if one.kind is EntryKind.RESTORED]
        assert noted.event.body["keys"] == [key_id(TENANT, before.her)]
        rows = rows_then + everybody(service)
        for raw in (disk.raw(), copy):
            assert opened_by_what_is_left(keys, rows, raw, before.remains) == []
            assert clear_in(raw, before.values) == set()
        check_history(service, before)
        await check_nobody(service, before, tmp_path)
    async with reopen_service(settings, refs) as service:
        check_proofs(service, before)


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
