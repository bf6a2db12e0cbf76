"""The formats that an export can be asked in: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from guard.exports.cef import CefWriter
from guard.exports.cloudevents import CloudEventWriter
from guard.exports.csv_file import CellGuard, CsvEncoder
from guard.exports.ecs import EcsWriter
from guard.exports.encoder import Encoder, LineEncoder, Source
from guard.exports.ndjson import ndjson_line
from guard.exports.ocsf import OcsfWriter
from guard.exports.parquet_file import ParquetEncoder
from guard.exports.rfc5424 import SyslogWriter


class ExportFormat(StrEnum):
    """What `POST /v1/exports` and `guard export` give."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    OCSF = "ocsf"
    ECS = "ecs"
    CEF = "cef"
    SYSLOG = "syslog"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A format: how its files are called and served, what a record is, who makes them.

    `record` and `holds` are the words of `docs/exports.md`.
    """

    media_type: str
    suffix: str
    record: str
    holds: str
    encoder: Callable[[Source, CellGuard], Encoder]


_NDJSON = "application/x-ndjson"
_AUDITOR = "every entry, with typed reasons, charges and bodies"
_TABLE = "every entry, with typed reasons and charges"
_SIEM = "every entry, without typed reasons, charges and bodies"

FORMATS: Mapping[ExportFormat, Described] = {
    ExportFormat.NDJSON: Described(
        media_type=_NDJSON,
        suffix="ndjson",
        record="an entry",
        holds=_AUDITOR,
        encoder=lambda _source, _cells: LineEncoder(ndjson_line),
    ),
    ExportFormat.CSV: Described(
        media_type="text/csv; charset=utf-8; header=present",
        suffix="csv",
        record="an entry and customer; the header is one too",
        holds=_TABLE,
        encoder=lambda _source, cells: CsvEncoder(cells),
    ),
    ExportFormat.PARQUET: Described(
        media_type="application/vnd.apache.parquet",
        suffix="parquet",
        record="an entry and customer",
        holds=_TABLE,
        encoder=lambda _source, _cells: ParquetEncoder(),
    ),
    ExportFormat.OCSF: Described(
        media_type=_NDJSON,
        suffix="ocsf.ndjson",
        record="an entry that is a look at records",
        holds="looks at records alone, without typed reasons, charges and bodies",
        encoder=lambda source, _cells: LineEncoder(OcsfWriter(source).line),
    ),
    ExportFormat.ECS: Described(
        media_type=_NDJSON,
        suffix="ecs.ndjson",
        record="an entry",
        holds=_SIEM,
        encoder=lambda source, _cells: LineEncoder(EcsWriter(source).line),
    ),
    ExportFormat.CEF: Described(
        media_type="text/plain; charset=utf-8",
        suffix="cef",
        record="an entry",
        holds=_SIEM,
        encoder=lambda source, _cells: LineEncoder(CefWriter(source).line),
    ),
    ExportFormat.SYSLOG: Described(
        media_type="application/octet-stream",
        suffix="syslog",
        record="an entry, framed by its length",
        holds=_SIEM,
        encoder=lambda source, _cells: LineEncoder(SyslogWriter(source).line),
    ),
    ExportFormat.CLOUDEVENTS: Described(
        media_type=_NDJSON,
        suffix="cloudevents.ndjson",
        record="an entry",
        holds=_AUDITOR,
        encoder=lambda source, _cells: LineEncoder(CloudEventWriter(source).line),
    ),
}
