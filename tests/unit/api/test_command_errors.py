"""What a command says when the system refuses it a file or a folder."""

import sys
from pathlib import Path

import pytest

from api.cli import main
from api.cli.outcome import Exit


def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int | str | None, str]:
    monkeypatch.setattr(sys, "argv", ["guard", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code, capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_line_with_its_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    code, error = said(monkeypatch, capsys, "replay", str(path))
    assert (code, error) == (Exit.CONFIG, f"error: {path}: No such file or directory\n")


def test_a_data_folder_that_cannot_be_made_is_one_line_with_its_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    monkeypatch.setenv("RECORDGUARD_DATA_DIR", str(folder))
    code, error = said(monkeypatch, capsys, "migrate")
    assert (code, error) == (Exit.CONFIG, f"error: {folder}: Not a directory\n")


def test_events_without_their_columns_are_one_line_that_names_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text("garbage\n")
    code, error = said(monkeypatch, capsys, "replay", str(path))
    assert code == Exit.FOUND
    assert error.startswith("error: `events.csv` lacks `ts`, `agent_id`, `customer_id`, `action`")
    assert error.count("\n") == 1
