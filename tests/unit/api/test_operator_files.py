from pathlib import Path

import pytest

from api.operator_files import contacts_of, open_retention, open_secrets, open_sources
from api.settings import Settings
from guard.errors import ConfigurationError
from guard.forgetting import RetentionRules


def settings(folder: Path, **files: object) -> Settings:
    return Settings(data_dir=folder).model_copy(update=files)


def test_without_files_there_is_nothing_and_the_usual_retention(tmp_path: Path) -> None:
    plain = settings(tmp_path)
    assert (open_sources(plain), open_secrets(plain)) == ({}, {})
    assert contacts_of(plain).channels == {}
    assert open_retention(plain) == RetentionRules()


def test_the_operators_retention_is_read(tmp_path: Path) -> None:
    file = tmp_path / "retention.toml"
    file.write_text("months = 3\n")
    assert open_retention(settings(tmp_path, retention_file=file)).months == 3


def test_secrets_are_files_and_lose_their_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "crm_url").write_text("sqlite:///crm.db\n")
    assert open_secrets(settings(tmp_path, secrets_dir=tmp_path)) == {"crm_url": "sqlite:///crm.db"}


@pytest.mark.parametrize(
    ("name", "opener"),
    [
        ("mapping_file", open_sources),
        ("retention_file", open_retention),
        ("contacts_file", contacts_of),
        ("secrets_dir", open_secrets),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, name: str, opener: object) -> None:
    assert callable(opener)
    with pytest.raises(ConfigurationError, match=r"file|folder"):
        opener(settings(tmp_path, **{name: tmp_path / "nowhere"}))
