import errno
import os
import stat
from pathlib import Path

import pytest

from guard import durable
from guard.errors import DurabilityError


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    file = tmp_path / "a"
    durable.replace_file(file, b"one")
    durable.replace_file(file, b"two")
    assert file.read_bytes() == b"two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_file_never_replaces_an_old_one(tmp_path: Path) -> None:
    file = tmp_path / "a"
    durable.create_file(file, b"one")
    with pytest.raises(FileExistsError):
        durable.create_file(file, b"two")
    assert file.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [file]


def test_folders_are_made_with_their_parents_and_twice(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    durable.make_folder(folder)
    durable.make_folder(folder)
    assert folder.is_dir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_name_that_is_taken_by_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        durable.replace_file(tmp_path / "a", b"one")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EIO, DurabilityError), (errno.ENOSPC, OSError)]
)
def test_a_disk_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    file = tmp_path / "a"
    durable.replace_file(file, b"one")

    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind):
        durable.replace_file(file, b"two")
    assert file.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [file]
