import json
from collections.abc import Iterator

from guard.entries import OpenedEntry
from guard.exports.ndjson import ndjson
from tests.unit.guard.exports.makers import make_opened


def test_a_line_holds_the_whole_entry() -> None:
    (line,) = ndjson([make_opened()])
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    got = json.loads(line)
    assert (got["index"], got["entry_id"], got["kind"]) == (7, "ab" * 16, "view")
    assert got["at"] == "2025-11-24T16:00:00.123456Z"
    assert got["charges"] == [{"key": "agent:acme/u-17", "measure": "views", "amount": 1}]
    assert got["classes"] == {"contact": "mask", "name": "plain"}
    assert got["body"] == {"pages": [1, 2], "why": "x"}
    assert got["subjects"] == [
        {"customer": "c1", "case": "case-1", "reason": "call"},
        {"customer": "c2", "erased": True},
    ]


def test_entries_stay_in_order_and_are_made_one_by_one() -> None:
    seen: list[int] = []

    def source() -> Iterator[OpenedEntry]:
        for n in range(3):
            seen.append(n)
            yield make_opened()

    lines = ndjson(source())
    next(lines)
    assert seen == [0]
