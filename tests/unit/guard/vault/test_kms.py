import stat
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, KeyUnavailableError
from guard.vault.kms import create_root_key, open_kms, path_of


def test_a_root_key_is_made_for_its_owner_only(root: Path, uri: str) -> None:
    create_root_key(root)
    assert stat.S_IMODE(root.stat().st_mode) == 0o600
    assert stat.S_IMODE(root.parent.stat().st_mode) == 0o700
    kms = open_kms(uri)
    assert open_kms(uri).unwrap(kms.wrap(b"k" * 32, "a"), "a") == b"k" * 32


def test_a_root_key_that_exists_is_left_alone(root: Path) -> None:
    create_root_key(root)
    before = root.read_bytes()
    create_root_key(root)
    assert root.read_bytes() == before


def test_a_wrapped_key_opens_in_its_context_only(root: Path, uri: str) -> None:
    create_root_key(root)
    kms = open_kms(uri)
    with pytest.raises(KeyUnavailableError):
        kms.unwrap(kms.wrap(b"k" * 32, "a"), "b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o666])
def test_a_root_key_that_others_can_reach_is_refused_by_name(
    root: Path, uri: str, mode: int
) -> None:
    create_root_key(root)
    root.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        open_kms(uri)
    assert str(root) in str(caught.value)
    assert stat.S_IMODE(root.stat().st_mode) == mode


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"recordguard-root-key-v1",
        b"recordguard-root-key-v1 ",
        b"recordguard-root-key-v1 !!!!",
        b"recordguard-root-key-v1 AAAA",
        b"recordguard-root-key-v1 " + b"A" * 43,
        b"recordguard-root-key-v2 " + b"A" * 43 + b"=",
        b"recordguard-root-key-v1 " + b"A" * 44 + b"AAA=",
        b"recordguard-root-key-v1 " + b"\xff" * 44,
        b"A" * 43 + b"=",
        b"recordguard-root-key-v1 " + b"A" * 5000,
    ],
)
def test_a_malformed_root_key_is_refused(root: Path, uri: str, content: bytes) -> None:
    create_root_key(root)
    root.write_bytes(content)
    with pytest.raises(ConfigurationError, match="malformed"):
        open_kms(uri)


def test_a_missing_root_key_is_a_missing_key(root: Path, uri: str) -> None:
    with pytest.raises(KeyUnavailableError) as caught:
        open_kms(uri)
    assert str(root) in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["", "root.key", "file:", "awskms:///x", "https://h/x", "file://host/x", "vault://m/k"]
)
def test_an_unknown_kms_is_refused(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="is not supported"):
        path_of(uri)


def test_file_uris_may_have_an_empty_host_and_escapes() -> None:
    assert path_of("file:///a/b%20c") == Path("/a/b c")
    assert path_of("file:a/b") == Path("a/b")
