"""Entries as Parquet: the table of `guard.exports.columns`, for analysis out of core.

Needs the `parquet` extra. Each chunk is a row group of its own, so nothing is kept in memory but
the footer's few bytes a group. Numbers and times are typed; lists stay joined with `;`, as in CSV.
"""

from collections.abc import Sequence
from importlib import import_module
from io import RawIOBase
from typing import Any

from guard.errors import ConfigurationError
from guard.exports.columns import COLUMNS, table_rows
from guard.exports.encoder import Encoded
from guard.exports.row import ExportRow

_WHOLE = frozenset({"index", "n_fields", "n_sensitive"})


class _Growing(RawIOBase):
    """A file that only grows, and from which what was written is taken on the way."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, piece: Any) -> int:  # noqa: ANN401 - whatever has bytes
        content = bytes(piece)
        self._pieces.append(content)
        self._size += len(content)
        return len(content)

    def take(self) -> bytes:
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content


class ParquetEncoder:
    """Writes one Parquet file."""

    def __init__(self) -> None:
        """Begin a file.

        Raises:
            ConfigurationError: The library is not installed.
        """
        try:
            # Loaded by name: it is an extra, heavy, and nothing else of the service needs it.
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError:
            raise ConfigurationError(
                "parquet needs pyarrow: install the `parquet` extra, or ask for another format"
            ) from None
        types = {"at": self._arrow.timestamp("us", tz="UTC"), "erased": self._arrow.bool_()}
        types |= dict.fromkeys(_WHOLE, self._arrow.int64())
        self._schema = self._arrow.schema(
            [(name, types.get(name, self._arrow.string())) for name in COLUMNS]
        )
        self._sink = _Growing()
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")

    def chunk(self, rows: Sequence[ExportRow]) -> Encoded:
        """See `Encoder.chunk`."""
        table = [(row.at, line) for row in rows for line in table_rows(row)]
        if table:
            self._writer.write_table(self._table(table))
        return Encoded(self._sink.take(), len(table))

    def end(self) -> Encoded:
        """See `Encoder.end`: the footer, without which there is no Parquet file."""
        self._writer.close()
        return Encoded(self._sink.take(), 0)

    def _table(self, rows: Sequence[tuple[int, tuple[str, ...]]]) -> object:
        columns = dict(zip(COLUMNS, zip(*(line for _, line in rows), strict=True), strict=True))
        typed: dict[str, Sequence[object]] = {**columns, "at": [at for at, _ in rows]}
        typed["erased"] = [cell == "true" for cell in columns["erased"]]
        for name in _WHOLE:
            typed[name] = [int(cell) for cell in columns[name]]
        arrays = [self._arrow.array(typed[f.name], type=f.type) for f in self._schema]
        return self._arrow.Table.from_arrays(arrays, schema=self._schema)
