import json
from pathlib import Path

import pytest

from tests.unit.api.cli.conftest import Guard


def test_tables_are_made_checked_dropped_and_made_again(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDGUARD_DATA_DIR", str(tmp_path / "new"))
    assert guard("migrate", "--check").code == 78
    assert guard("migrate").code == 0
    assert guard("migrate", "--check").code == 0
    dropped = guard("migrate", "--down", "--json")
    assert json.loads(dropped.out) == {"revision": "none"}
    assert guard("migrate").code == 0


def test_one_thing_at_a_time(guard: Guard, data_dir: Path) -> None:
    assert data_dir.is_dir()
    assert guard("migrate", "--check", "--down").code == 65
