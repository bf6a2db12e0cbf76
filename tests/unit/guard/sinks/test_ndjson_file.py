from pathlib import Path

import pytest

from guard.errors import NotDeliveredError
from guard.sinks.ndjson_file import NdjsonFileSink
from guard.sinks.sink import Event

pytestmark = pytest.mark.anyio


async def test_lines_are_added_and_a_torn_one_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    sink = NdjsonFileSink("file", path)
    await sink.deliver([Event("a", b"1\n"), Event("b", b"2\n")])
    with path.open("ab") as file:
        file.write(b'{"torn')
    await sink.deliver([Event("c", b"3\n")])
    await sink.close()
    assert path.read_bytes() == b'1\n2\n{"torn\n3\n'
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_was_moved_away_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    sink = NdjsonFileSink("file", path)
    await sink.deliver([Event("a", b"1\n")])
    path.rename(tmp_path / "old")
    await sink.deliver([Event("b", b"2\n")])
    assert path.read_bytes() == b"2\n"


async def test_a_disk_that_does_not_take_it_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(NotDeliveredError):
        await NdjsonFileSink("file", tmp_path).deliver([Event("a", b"1\n")])
