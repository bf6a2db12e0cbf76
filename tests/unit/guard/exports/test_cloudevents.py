import json

from guard.exports.cloudevents import CloudEventWriter
from guard.exports.ndjson import ndjson_line
from tests.unit.guard.exports.makers import SOURCE, make_row


def test_an_event_has_the_entrys_id_and_the_whole_entry() -> None:
    row = make_row()
    got = json.loads(CloudEventWriter(SOURCE).line(row))
    assert (got["id"], got["source"], got["type"]) == (
        row.entry_id,
        "//example.com/log",
        "recordguard.entry.view",
    )
    assert got["data"] == json.loads(ndjson_line(row))
