import sys
from datetime import datetime
from io import BytesIO

import pytest

from guard.errors import ConfigurationError
from guard.exports.parquet_file import ParquetEncoder
from tests.unit.guard.exports.makers import make_row


def test_numbers_times_and_flags_are_typed() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    encoder = ParquetEncoder()
    pieces = [encoder.chunk([make_row()]), encoder.chunk([]), encoder.end()]
    assert [piece.records for piece in pieces] == [2, 0, 0]
    first, second = parquet.read_table(BytesIO(b"".join(p.content for p in pieces))).to_pylist()
    assert (first["index"], first["erased"], second["erased"]) == (7, False, True)
    assert first["at"] == datetime.fromisoformat("2025-11-24T16:00:00.123456+00:00")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match="parquet"):
        ParquetEncoder()
