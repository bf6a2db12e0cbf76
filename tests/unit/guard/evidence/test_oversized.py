"""Bundles that unpack to more than anybody should read, before both verifiers."""

import tracemalloc
import zipfile
from pathlib import Path

import pytest

from guard.errors import ProofError
from guard.evidence import checking, standalone
from tests.support.rig import Rig
from tests.unit.guard.evidence.cases import bundle, judge, rewrite, tell

MIB = 1 << 20


def bomb(path: Path, name: str, packing: int) -> Path:
    with zipfile.ZipFile(path, "w", packing) as made, made.open(name, "w") as file:
        for _ in range(24):
            file.write(bytes(MIB))
    return path


@pytest.mark.parametrize("name", ["manifest", "checkpoint", "parts.ndjson"])
@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_to_too_much_is_refused_before_it_is_read(
    tmp_path: Path, name: str, packing: int
) -> None:
    path = bomb(tmp_path / "bomb.zip", name, packing)
    if name != "manifest":
        with zipfile.ZipFile(path, "a") as made:
            made.writestr("manifest", b"words")
    tracemalloc.start()
    try:
        assert judge(path, ()) is None
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


def test_a_directory_that_tells_less_than_there_is_does_not_help(tmp_path: Path) -> None:
    """The size in the directory is somebody's word: reading itself is bounded as well."""
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        made.writestr("manifest", bytes(checking.MOST_SMALL + 1))
    with zipfile.ZipFile(path) as held:
        held.getinfo("manifest").file_size -= 1
        with pytest.raises(zipfile.BadZipFile):
            checking._read(held, "manifest")  # noqa: SLF001 - one bound of the two alone
        with pytest.raises(zipfile.BadZipFile):
            standalone.read(held, "manifest")
        held.getinfo("manifest").file_size += 1
        with pytest.raises(ProofError, match="too large"):
            checking._read(held, "manifest")  # noqa: SLF001 - one bound of the two alone
        with pytest.raises(standalone.RefusedError, match="too large"):
            standalone.read(held, "manifest")


@pytest.mark.anyio
async def test_a_line_without_an_end_is_not_read_to_it(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await tell(rig, tmp_path)
    path = await bundle(told, tmp_path / "case.zip", customer=told.refs[0])
    with zipfile.ZipFile(path) as held:
        longest = max(map(len, held.read("parts.ndjson").splitlines())) + 1
    for most, holds in ((longest, True), (longest - 1, False)):
        monkeypatch.setattr(checking, "MOST_LINE", most)
        monkeypatch.setattr(standalone, "MOST_LINE", most)
        assert (judge(path, told.vkeys) is not None) == holds

    def fill(files: dict[str, bytes]) -> None:
        files["range.json"] += b" " * checking.MOST_SMALL

    assert judge(rewrite(path, tmp_path / "b.zip", fill, told.signer), told.vkeys) is None
