"""The composed service: what it refuses to start with, what it starts, and how it ends."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

import policies
from api.bootstrap import Services, build, open_bundle, open_clock
from api.places import export_signer, log_dir
from api.settings import Settings
from guard.clock import DAY, ManualClock, Rate, wall_micros
from guard.entries import EntryKind
from guard.errors import (
    ConfigurationError,
    ForkError,
    GuardError,
    SourceError,
    StoreUnavailableError,
)
from guard.ledger.checkpoint import parse_text
from guard.ledger.note import parse_note
from guard.ledger.receipts import verify_receipt
from guard.ledger.writer_keys import certified
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.makers import NOON, make_entry
from tests.support.rig import Rig
from tests.unit.api.installation import AGENT, DESK, people, settings_of, write_crm

CONTACTS = Path("docs/examples/contacts.toml").read_bytes()
SHIPPED = Path(policies.__file__).parent / "bundles" / "default"


@pytest.fixture
def settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    write_crm(tmp_path)
    return settings_of(tmp_path)


def refused(settings: Settings) -> str:
    with pytest.raises(ConfigurationError) as caught:
        build(settings)
    return str(caught.value)


async def kinds(services: Services) -> list[EntryKind]:
    entries = await services.readers.read(lambda view: view.entries(0, 1000))
    return [EntryKind(entry.leaf[25]) for entry in entries]


def changed(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


def test_the_bundle_that_ships_is_taken_unless_another_is_named(tmp_path: Path) -> None:
    other = copytree(SHIPPED, tmp_path / "bundle")
    assert open_bundle(None).digest == open_bundle(other).digest
    (other / "sub").mkdir()
    assert open_bundle(other).digest == open_bundle(None).digest


def test_a_bundle_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    said = refused(changed(settings, policy_dir=tmp_path / "nowhere"))
    assert str(tmp_path / "nowhere") in said


def test_a_bundle_that_does_not_load_says_where(settings: Settings, tmp_path: Path) -> None:
    other = copytree(SHIPPED, tmp_path / "bundle")
    policy = next(other.glob("*.cedar"))
    policy.write_text("permit (nobody")
    assert policy.name in refused(changed(settings, policy_dir=other))


def test_a_catalogue_that_no_mask_can_carry_out_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    other = copytree(SHIPPED, tmp_path / "bundle")
    fields = other / "fields.toml"
    known = 'transform = "email"'
    assert known in fields.read_text()
    fields.write_text(fields.read_text().replace(known, 'transform = "unheard_of"'))
    assert "fields.toml" in refused(changed(settings, policy_dir=other))


def test_a_mapping_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    said = refused(changed(settings, mapping_file=tmp_path / "nowhere.toml"))
    assert str(tmp_path / "nowhere.toml") in said


def test_a_secret_that_the_mapping_names_comes_from_its_file(
    settings: Settings, tmp_path: Path
) -> None:
    mapping = tmp_path / "crm.toml"
    lines = mapping.read_text().splitlines()
    plain = next(line for line in lines if line.startswith("url = "))
    mapping.write_text(mapping.read_text().replace(plain, 'url_secret = "crm_url"'))
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "crm_url").write_text(plain.split('"')[1] + "\n")
    assert "crm_url" in refused(settings)
    services = build(changed(settings, secrets_dir=secrets))
    assert services.settings.secrets_dir == secrets
    services.store.close()


def test_a_folder_of_secrets_that_is_not_there_is_said(settings: Settings, tmp_path: Path) -> None:
    assert "secrets folder" in refused(changed(settings, secrets_dir=tmp_path / "nowhere"))


def test_a_contacts_file_that_is_not_there_or_wrong_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.toml"
    assert str(file) in refused(changed(settings, contacts_file=file))
    file.write_text('[[channel]]\nname = "fax"\n')
    assert f"{file}:2: `name` must be one of" in refused(changed(settings, contacts_file=file))


@pytest.mark.anyio
async def test_a_contacts_file_opens_its_channels(settings: Settings, tmp_path: Path) -> None:
    file, secrets = tmp_path / "contacts.toml", tmp_path / "secrets"
    file.write_bytes(CONTACTS)
    secrets.mkdir()
    for name in ("smtp_password", "cti_secret", "crm_secret"):
        (secrets / name).write_text("whsec_" + "QUJD" * 8)
    services = build(changed(settings, contacts_file=file, secrets_dir=secrets))
    assert set(services.contacts.channels) == {"mail", "call"}
    assert services.contacts.merges is not None
    await services.close()


def test_tables_of_another_revision_are_not_served(tmp_path: Path) -> None:
    write_crm(tmp_path)
    assert "guard migrate" in refused(settings_of(tmp_path))


def test_a_ledger_has_one_writer(settings: Settings) -> None:
    services = build(settings)
    try:
        assert refused(settings)
    finally:
        services.store.close()


def test_what_cannot_be_opened_gives_back_what_was_opened_before(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "worker.db").mkdir()
    assert "worker" in refused(settings)
    (tmp_path / "worker.db").rmdir()
    build(settings).store.close()


@pytest.fixture
def store(settings: Settings) -> SqlStore:
    return SqlStore(sqlite_url(settings.data_dir / "ledger.db"))


def test_a_new_store_keeps_real_time(store: SqlStore, settings: Settings) -> None:
    before = wall_micros()
    assert before <= open_clock(store, settings).now() <= wall_micros()
    store.close()


def test_a_demo_clock_is_refused_where_no_demo_is_played(
    store: SqlStore, settings: Settings
) -> None:
    with store.begin() as rows:
        rows.put_clock_rate(Rate(origin=NOON, wall_origin=0, rate=2000.0))
    with pytest.raises(ConfigurationError, match="RECORDGUARD_DEMO"):
        open_clock(store, settings)
    store.close()


def test_a_demo_keeps_the_clock_of_its_store(store: SqlStore, settings: Settings) -> None:
    ahead = wall_micros() + 10 * DAY
    with store.begin() as rows:
        rows.put_clock_rate(Rate(origin=ahead, wall_origin=wall_micros(), rate=2000.0))
    assert open_clock(store, changed(settings, demo=True)).now() >= ahead
    store.close()


@pytest.mark.anyio
async def test_time_never_falls_behind_the_newest_entry(
    rig: Rig, clock: ManualClock, settings: Settings
) -> None:
    clock.advance(wall_micros() + DAY - NOON)
    await rig.customers(1)
    await rig.case((await rig.customers(1))[0])
    with rig.store.read() as view:
        newest = view.newest_at()
    assert newest > wall_micros()
    assert open_clock(rig.store, settings).now() >= newest


@pytest.mark.anyio
async def test_the_bundle_is_kept_and_recorded_once_however_often_it_starts(
    settings: Settings,
) -> None:
    for _ in range(2):
        services = build(settings)
        await services.start()
        await services.close()
    services = build(settings)
    try:
        assert (await kinds(services)).count(EntryKind.BUNDLE) == 1
        digest = services.bundle.digest
        kept = await services.readers.read(lambda view: view.bundle(digest))
        assert kept == services.bundle.files
    finally:
        services.store.close()


@pytest.mark.anyio
async def test_a_started_service_publishes_applies_follows_and_reminds(settings: Settings) -> None:
    services = build(settings)
    await services.start()
    names = {task.get_name() for task in services._tasks}  # noqa: SLF001 - what runs beside requests
    await services.close()
    assert names == {"publish", "apply", "follow", "remind", "reconcile", "shred", "expire"}
    assert all(task.done() for task in services._tasks)  # noqa: SLF001 - as above


@pytest.mark.anyio
async def test_closing_publishes_all_that_was_written_before(settings: Settings) -> None:
    services = build(changed(settings, checkpoint_interval_s=300))
    await services.start()
    await services.directory.put(DESK, people())
    size, _ = await services.readers.read(lambda view: view.head())
    await services.close()
    note = (log_dir(settings) / "checkpoint").read_bytes()
    assert parse_text(parse_note(note).text).size >= size


@pytest.mark.anyio
async def test_closing_gives_the_ledger_back(settings: Settings) -> None:
    services = build(settings)
    await services.start()
    await services.close()
    again = build(settings)
    again.store.close()


@pytest.mark.anyio
async def test_closing_gives_back_the_connections_of_the_source(settings: Settings) -> None:
    services = build(settings)
    await services.start()
    source = services._sources["crm"]  # noqa: SLF001 - the broker has no other door to it
    await source.check()
    (settings.data_dir / "crm.db").unlink()
    await services.close()
    with pytest.raises(SourceError):
        await source.check()


@pytest.mark.anyio
async def test_a_disk_that_takes_no_checkpoint_does_not_keep_it_from_closing(
    settings: Settings,
) -> None:
    services = build(changed(settings, checkpoint_interval_s=300))
    await services.start()
    failing = _Failing()
    await replace(services, _publisher=failing).close()  # type: ignore[arg-type] # one method of it
    assert failing.asked
    again = build(settings)
    again.store.close()


class _Forked:
    def examine(self, _view: object) -> None:
        """Nothing was wrong at the start."""

    def release(self) -> None:
        """There is no right to give back."""

    async def publish_once(self, *_given: object) -> None:
        raise ForkError("the store holds another history")


@pytest.mark.anyio
async def test_it_is_ready_while_it_writes_and_publishes(settings: Settings) -> None:
    services = build(settings)
    with pytest.raises(StoreUnavailableError):
        services.check()
    await services.start()
    services.check()
    await services.close()
    with pytest.raises(StoreUnavailableError):
        services.check()


@pytest.mark.anyio
async def test_after_a_fork_it_is_not_ready(settings: Settings) -> None:
    services = replace(build(settings), _publisher=_Forked())  # type: ignore[arg-type] # one method of it
    await services.start()
    await asyncio.wait(services._tasks, return_when=asyncio.FIRST_COMPLETED)  # noqa: SLF001 - as above
    with pytest.raises(StoreUnavailableError, match="the writer is stopped"):
        services.check()
    await services.close()


@pytest.mark.anyio
async def test_a_dead_writer_is_not_ready(settings: Settings) -> None:
    services = build(settings)
    await services.start()
    writer = services._writer  # noqa: SLF001 - its thread dies behind its back
    writer._give_up.set()  # noqa: SLF001 - as above
    with suppress(StoreUnavailableError):  # the publisher may have been its last
        await services.directory.put(DESK, people())
    await asyncio.to_thread(writer._thread.join, 20)  # noqa: SLF001 - as above
    with pytest.raises(StoreUnavailableError, match="the writer is stopped"):
        services.check()
    await services.close()


class _Failing:
    asked = False

    async def publish_once(self, *_given: object) -> None:
        self.asked = True
        raise GuardError("the disk is full")

    def release(self) -> None:
        """There is no right to give back."""


@pytest.mark.anyio
async def test_the_parts_work_together(settings: Settings) -> None:
    services = build(settings)
    await services.start()
    try:
        await services.directory.put(DESK, people())
        assert await services.broker.quota(AGENT)
    finally:
        await services.close()


@pytest.mark.anyio
async def test_a_receipt_holds_by_the_published_note_of_its_writer(settings: Settings) -> None:
    services = build(settings)
    await services.start()
    try:
        receipt = await services.committer.run(lambda tx: tx.record(make_entry(EntryKind.ALERT)))
        note = (log_dir(settings) / "writers" / receipt.writer).read_bytes()
        verifier = export_signer(services.keyring, settings).verifier
        key = certified(note, verifier)
        verify_receipt(receipt, key.public_key)
        assert (key.origin, key.writer) == (settings.origin, receipt.writer)
    finally:
        await services.close()
