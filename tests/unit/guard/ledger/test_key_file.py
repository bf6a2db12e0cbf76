import stat
from pathlib import Path

import pytest

from guard.errors import ConfigurationError
from guard.ledger.key_file import create_key_file, read_key_file
from guard.ledger.note import open_note, write_note

TEXT = "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.mark.parametrize("ml_dsa", [False, True])
def test_a_key_that_was_made_signs(tmp_path: Path, ml_dsa: bool) -> None:  # noqa: FBT001 - a parameter of the test
    path = tmp_path / "new" / "witness.key"
    made = create_key_file(path, "w.example/1", ml_dsa=ml_dsa)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = read_key_file(path)
    assert (read.cosigner, read.second) == (made.cosigner, made.second)
    assert (read.second is not None) is ml_dsa
    note = write_note(TEXT, [read.cosign(TEXT, 7)])
    for key in (made.cosigner, *([made.second] if made.second else [])):
        assert open_note(note, [key]) == TEXT


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    create_key_file(path, "w.example/1", ml_dsa=False)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="exists"):
        create_key_file(path, "w.example/1", ml_dsa=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_must_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="key name"):
        create_key_file(tmp_path / "witness.key", name, ml_dsa=False)
    assert not list(tmp_path.iterdir())


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    create_key_file(path, "w.example/1", ml_dsa=False)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_key_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"witness\.key.*No such file"):
        read_key_file(tmp_path / "witness.key")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "witness.key", tmp_path / "other.key"
    create_key_file(path, "w.example/1", ml_dsa=True)
    create_key_file(other, "w.example/2", ml_dsa=True)
    first, second = path.read_text().splitlines(keepends=True)
    strange = other.read_text().splitlines(keepends=True)[1]
    flipped = first[:-4] + ("A" if first[-4] != "A" else "B") + first[-3:]
    wrong_id = first.replace("+KEY+w.example/1+", "+KEY+w.example/1+00")
    # The key itself, in base64, may hold a plus sign.
    named = "+".join(first.split("+")[:4])
    for content in (
        "",
        "\n",
        second,
        second + first,
        first + first + second,
        first + strange,
        flipped,
        wrong_id,
        first.replace("PRIVATE", "PUBLIC"),
        first.replace("+", "-"),
        named + "+\n",
        named + "+BEV/\n",
        "é" + first,
    ):
        path.write_text(content)
        with pytest.raises(ConfigurationError, match="keygen"):
            read_key_file(path)
    path.write_text(first + second)
    assert read_key_file(path).second is not None
