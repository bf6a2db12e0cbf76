from pathlib import Path

import pytest

from api.identity.secret_files import read_or_create
from guard.errors import ConfigurationError


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "s"
    assert read_or_create(path, lambda: b"one") == b"one"
    assert read_or_create(path, lambda: b"two") == b"one"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"one")
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            read_or_create(path, lambda: b"two")


def test_a_place_that_cannot_be_used_is_named_without_its_folder(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(ConfigurationError, match="cannot use s: ") as caught:
        read_or_create(tmp_path / "s", lambda: b"")
    assert str(tmp_path) not in str(caught.value)


def test_two_that_make_a_secret_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "s"

    def second_wins() -> bytes:
        assert read_or_create(path, lambda: b"second") == b"second"
        return b"first"

    assert read_or_create(path, second_wins) == b"second"
