import json

from guard.entries import EntryKind, OpenedEntry, event_by
from guard.exports import ExportFormat, ExportWriter
from tests.support.rig import make_caller


def entry(index: int) -> OpenedEntry:
    return OpenedEntry(
        index=index,
        entry_id="ab" * 16,
        kind=EntryKind.SIGN_IN,
        event=event_by(make_caller("=a1"), EntryKind.SIGN_IN, index),
        refs=(),
        subjects=(),
    )


def test_ndjson_is_one_object_a_line_whatever_the_chunks() -> None:
    writer = ExportWriter(ExportFormat.NDJSON)
    content = writer.chunk([entry(0), entry(1)]) + writer.chunk([entry(2)]) + writer.chunk([])
    assert [json.loads(line)["index"] for line in content.splitlines()] == [0, 1, 2]
    assert writer.tally.records == 3
    assert writer.tally.octets == len(content)


def test_csv_has_one_header_and_guards_formulas() -> None:
    writer = ExportWriter(ExportFormat.CSV)
    content = writer.chunk([entry(0)]) + writer.chunk([entry(1)])
    assert content.count(b"entry_id") == 1
    assert b"'=a1" in content
    assert writer.tally.records == 3


def test_an_empty_csv_still_has_its_header() -> None:
    assert ExportWriter(ExportFormat.CSV).chunk([]).startswith(b"index")
