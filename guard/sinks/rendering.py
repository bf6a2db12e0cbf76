"""One entry as one event of a sink, in the format that it was declared with."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from guard.entries import EntryKind
from guard.exports import ExportRow, Source
from guard.exports.cef import CefWriter
from guard.exports.cloudevents import CloudEventWriter
from guard.exports.ecs import EcsWriter
from guard.exports.ndjson import ndjson_line
from guard.exports.ocsf import OcsfWriter
from guard.exports.rfc5424 import SyslogWriter
from guard.ports import ReadView

Render = Callable[[ReadView, ExportRow], bytes | None]


class SinkKind(StrEnum):
    """How events get there."""

    SYSLOG_TLS = "syslog_tls"
    CLOUDEVENTS_WEBHOOK = "cloudevents_webhook"
    NDJSON_FILE = "ndjson_file"


# What each kind can carry; the first is what it carries unless the operator says otherwise.
FORMATS: Mapping[SinkKind, tuple[str, ...]] = {
    SinkKind.SYSLOG_TLS: ("syslog", "cef", "ocsf", "ecs"),
    SinkKind.CLOUDEVENTS_WEBHOOK: ("cloudevents",),
    SinkKind.NDJSON_FILE: ("ndjson", "ocsf", "ecs", "cloudevents"),
}
_ALERTS = frozenset({EntryKind.ALERT, EntryKind.LABEL})


def renderer(kind: SinkKind, fmt: str, source: Source) -> Render:
    """What renders one entry for such a sink."""
    if kind is SinkKind.SYSLOG_TLS:
        return _framed(fmt, source)
    return _line(fmt, source)


def _framed(fmt: str, source: Source) -> Render:
    syslog = SyslogWriter(source)
    if fmt == "syslog":
        return lambda _view, row: syslog.line(row)
    inner = _line(fmt, source)

    def framed(view: ReadView, row: ExportRow) -> bytes | None:
        text = inner(view, row)
        return None if text is None else syslog.around(row, text)

    return framed


def _line(fmt: str, source: Source) -> Render:
    if fmt == "ocsf":
        return _ocsf(OcsfWriter(source))
    line = {
        "cef": CefWriter(source).line,
        "ecs": EcsWriter(source).line,
        "cloudevents": CloudEventWriter(source).line,
        "ndjson": ndjson_line,
    }[fmt]
    return lambda _view, row: line(row)


def _ocsf(writer: OcsfWriter) -> Render:
    """Looks at records, and alerts as they stand when they are sent."""

    def render(view: ReadView, row: ExportRow) -> bytes | None:
        if row.kind not in _ALERTS:
            return writer.line(row)
        event = row.event
        alert = view.alert(event.tenant, str(event.body.get("alert", "")))
        return None if alert is None else msgspec.json.encode(writer.finding(alert)) + b"\n"

    return render
