from pathlib import Path

import pytest

from api.places import (
    baselines_dir,
    database_url,
    export_signer,
    keyring_file,
    log_dir,
    log_signer,
    open_keyring,
    worker_file,
)
from api.settings import Settings
from guard.errors import ConfigurationError
from guard.store.engine import sqlite_url


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def test_without_a_database_the_ledger_lies_in_the_data_folder(
    settings: Settings, tmp_path: Path
) -> None:
    assert database_url(settings) == sqlite_url(tmp_path / "ledger.db")


def test_a_database_that_is_named_is_taken(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://db/ledger")
    assert database_url(settings) == "postgresql://db/ledger"


def test_everything_else_lies_in_the_data_folder(settings: Settings, tmp_path: Path) -> None:
    places = (worker_file, baselines_dir, log_dir, keyring_file)
    assert [place(settings) for place in places] == [
        tmp_path / "worker.db",
        tmp_path / "baselines",
        tmp_path / "log",
        tmp_path / "keys" / "keyring.json",
    ]


def test_the_first_run_makes_keys_that_only_the_owner_reads(
    settings: Settings, tmp_path: Path
) -> None:
    open_keyring(settings)
    assert (tmp_path / "keys" / "root.key").stat().st_mode & 0o777 == 0o600


def test_a_second_run_finds_the_same_keys(settings: Settings) -> None:
    keys = {log_signer(open_keyring(settings), settings).verifier.encode() for _ in range(2)}
    assert len(keys) == 1


def test_a_root_key_that_others_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    open_keyring(settings)
    (tmp_path / "keys" / "root.key").chmod(0o644)
    with pytest.raises(ConfigurationError):
        open_keyring(settings)


def test_the_root_key_may_lie_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "root.key"
    open_keyring(Settings(data_dir=tmp_path / "data", kms_uri=elsewhere.as_uri()))
    assert elsewhere.is_file()
    assert not (tmp_path / "data" / "keys" / "root.key").exists()


def test_a_log_is_signed_in_the_name_of_its_origin(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, origin="example.org/log")
    assert log_signer(open_keyring(settings), settings).verifier.name == "example.org/log"


def test_exports_are_signed_under_another_name_and_key(settings: Settings) -> None:
    keyring = open_keyring(settings)
    log, exports = log_signer(keyring, settings), export_signer(keyring, settings)
    assert exports.verifier.name == f"{settings.origin}/exports"
    assert exports.verifier.public != log.verifier.public
