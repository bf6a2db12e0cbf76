from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from guard.errors import KeyUnavailableError
from guard.vault.keyring_file import KeyringFile, Tables, make_keyring
from guard.vault.kms import open_kms


def put(name: str) -> Callable[[Tables], bool]:
    """Make a tenant's key, unless it is there."""

    def change(tables: Tables) -> bool:
        is_new = name not in tables.tenants
        tables.of("tenants").setdefault(name, name.encode())
        return is_new

    return change


def test_what_one_changes_the_other_reads_when_it_looks_again(uri: str, path: Path) -> None:
    make_keyring(uri, path)
    one, other = KeyringFile(open_kms(uri), path), KeyringFile(open_kms(uri), path)
    one.change(put("acme"))
    assert one.tables.tenants == {"acme": b"acme"}
    assert (other.tables.tenants, other.is_stale()) == ({}, True)
    other.change(put("beta"))
    assert sorted(other.tables.tenants) == ["acme", "beta"]
    one.reload()
    assert (one.tables, one.is_stale()) == (other.tables, False)


def test_what_changes_nothing_writes_nothing(uri: str, path: Path) -> None:
    make_keyring(uri, path)
    file = KeyringFile(open_kms(uri), path)
    file.change(put("acme"))
    before = path.stat().st_ino
    file.change(put("acme"))
    make_keyring(uri, path)
    assert path.stat().st_ino == before
    assert file.tables.tenants == {"acme": b"acme"}


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"version": 1}', b'{"check": "!"}', b"\xff"]
)
def test_a_malformed_keyring_is_refused(uri: str, path: Path, content: bytes) -> None:
    make_keyring(uri, path)
    path.write_bytes(content)
    with pytest.raises(KeyUnavailableError, match="malformed"):
        KeyringFile(open_kms(uri), path)


def test_a_newer_keyring_is_refused(uri: str, path: Path) -> None:
    make_keyring(uri, path)
    content = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**content, "version": 2}))
    with pytest.raises(KeyUnavailableError, match="newer"):
        KeyringFile(open_kms(uri), path)
