import json
from typing import cast

import pytest

from guard.entries import EntryKind
from guard.ports import ReadView
from guard.sinks.rendering import FORMATS, SinkKind, renderer
from tests.unit.guard.exports.makers import SOURCE, make_alert, make_row


class Alerts:
    """The one read that an alert needs."""

    def alert(self, _tenant: str, alert_id: str) -> object:
        return make_alert() if alert_id == "" else None


VIEW = cast("ReadView", Alerts())


@pytest.mark.parametrize(("kind", "fmt"), [(k, fmt) for k in SinkKind for fmt in FORMATS[k]])
def test_each_kind_carries_each_of_its_formats(kind: SinkKind, fmt: str) -> None:
    body = renderer(kind, fmt, SOURCE)(VIEW, make_row())
    assert body is not None
    assert b"u-17" in body
    if kind is SinkKind.SYSLOG_TLS:
        length, _, message = body.partition(b" ")
        assert int(length) == len(message)
    else:
        assert json.loads(body)


def test_what_ocsf_has_no_place_for_is_not_sent() -> None:
    for kind in (SinkKind.SYSLOG_TLS, SinkKind.NDJSON_FILE):
        assert renderer(kind, "ocsf", SOURCE)(VIEW, make_row(EntryKind.CASE)) is None


def test_an_alert_is_a_finding() -> None:
    body = renderer(SinkKind.NDJSON_FILE, "ocsf", SOURCE)(VIEW, make_row(EntryKind.ALERT))
    assert json.loads(body or b"")["class_uid"] == 2004
