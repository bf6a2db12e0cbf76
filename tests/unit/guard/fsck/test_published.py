from tests.tamper.conftest import stand, whole
from tests.tamper.stand import Stand

__all__ = ["stand", "whole"]


def test_a_store_that_published_nothing_has_no_files(stand: Stand) -> None:
    (stand.folder / "log" / "checkpoint").unlink()
    told = [one.what for one in stand.fsck().faults]
    assert told == ["tiles are there and the file `checkpoint` is not"]


def test_a_missing_or_damaged_mark_is_told(stand: Stand) -> None:
    mark = stand.folder / "high-water"
    mark.write_bytes(b"words")
    assert [one.table for one in stand.fsck().faults] == ["high-water"]
    mark.unlink()
    (fault,) = stand.fsck().faults
    assert "the mark is missing" in fault.what


def test_a_missing_tile_is_told(stand: Stand) -> None:
    for path in (stand.folder / "log" / "tile" / "0").rglob("*.p/*"):
        path.unlink()
    (fault,) = stand.fsck().faults
    assert (fault.table, "is missing below" in fault.what) == ("published", True)
