import json

import msgspec

from guard.exports.ndjson import ndjson_line
from tests.unit.guard.exports.makers import make_event, make_row, row_of


def test_a_line_holds_the_whole_entry() -> None:
    line = ndjson_line(make_row())
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    got = json.loads(line)
    assert (got["index"], got["entry_id"], got["kind"]) == (7, f"{7:032x}", "view")
    assert got["at"] == "2025-11-24T16:00:00.123456Z"
    assert got["charges"] == [["agent:acme/u-17", "views", 1]]
    assert got["classes"] == {"contact": "mask", "name": "plain"}
    assert got["body"] == {"pages": [1, 2], "why": "x"}
    assert got["subjects"] == [
        {"customer": "c1", "case": "case-1", "reason": "call"},
        {"customer": "c2", "erased": True},
    ]


def test_a_part_that_begins_otherwise_gives_the_same_object() -> None:
    row = row_of(make_event())
    later = {"v": 2, **json.loads(row.part)}
    other = msgspec.structs.replace(row, part=json.dumps(later).encode())
    assert json.loads(ndjson_line(other)) == {**json.loads(ndjson_line(row)), "v": 2}
