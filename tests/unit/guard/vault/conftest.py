from pathlib import Path

import pytest

from guard.vault.keyring import Keyring


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "root.key"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keyring.json"


@pytest.fixture
def uri(root: Path) -> str:
    return f"file:{root}"


@pytest.fixture
def keyring(uri: str, path: Path) -> Keyring:
    return Keyring.open(uri, path)
