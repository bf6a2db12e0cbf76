"""One suite for all formats: what is in comes out, nothing can be forged, nothing more is told."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guard.entries import Charge, EntryKind, EventPart, SubjectPart
from guard.exports import FORMATS, CellGuard, Encoder, ExportFormat, ExportRow
from tests.unit.guard.exports.makers import AT, SOURCE, row_of
from tests.unit.guard.exports.reading import READERS, Told

# What could end a cell, a field, an element, a line, a header or a frame in one of the formats.
HOSTILE = (
    'x|y=z\nCEF:0|a\\|b\\=c] d="e" \r\n]12 <13>1 \'"\\\\,;{"index":9}\t\0\u2028 cs1=c9 suser=root'
)

every_format = pytest.mark.parametrize("fmt", list(ExportFormat))


def encoder(fmt: ExportFormat, cells: CellGuard = CellGuard.RAW) -> Encoder:
    if fmt is ExportFormat.PARQUET:
        pytest.importorskip("pyarrow")
    return FORMATS[fmt].encoder(SOURCE, cells)


def written(fmt: ExportFormat, *chunks: list[ExportRow]) -> tuple[bytes, int]:
    made = encoder(fmt)
    pieces = [*(made.chunk(rows) for rows in chunks), made.end()]
    return b"".join(p.content for p in pieces), sum(p.records for p in pieces)


def read(fmt: ExportFormat, *chunks: list[ExportRow]) -> list[Told]:
    content, _ = written(fmt, *chunks)
    return READERS[fmt](content)


def view(index: int, *customers: str, agent: str = "u-17") -> ExportRow:
    event = EventPart(at=AT + index, kind="view", tenant="acme", agent=agent, outcome="permitted")
    subjects = tuple(SubjectPart(customer=one, case=f"case-{index}") for one in customers)
    return row_of(event, index=index, subjects=subjects)


ROWS = [view(9, "c1"), view(8, "c2", "c3"), view(5), view(3, "c1", agent="u-18"), view(0, "c4")]


@every_format
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_entry_comes_out_once_whatever_the_chunks(fmt: ExportFormat, size: int) -> None:
    chunks = [ROWS[n : n + size] for n in range(0, len(ROWS), size)]
    told = read(fmt, *chunks, [])
    assert [(t.index, t.entry_id, t.agent, t.customers) for t in told] == [
        (row.index, row.entry_id, row.event.agent, row.refs) for row in ROWS
    ]


@every_format
def test_the_same_rows_in_the_same_chunks_give_the_same_bytes(fmt: ExportFormat) -> None:
    assert written(fmt, ROWS[:2], ROWS[2:]) == written(fmt, ROWS[:2], ROWS[2:])


@every_format
def test_records_are_counted_as_the_format_says(fmt: ExportFormat) -> None:
    _, records = written(fmt, ROWS)
    by_customer = sum(max(1, len(row.refs)) for row in ROWS)
    expected = {ExportFormat.CSV: by_customer + 1, ExportFormat.PARQUET: by_customer}
    assert records == expected.get(fmt, len(ROWS))


@every_format
def test_a_file_of_nothing_can_be_read(fmt: ExportFormat) -> None:
    assert read(fmt, []) == []


@every_format
def test_a_file_without_customers_names_none(fmt: ExportFormat) -> None:
    row = msgspec.structs.replace(view(1, "customer-1"), refs=(), parts=())
    content, _ = written(fmt, [row])
    assert b"customer-1" not in content
    assert b"case-1" not in content
    assert [t.customers for t in READERS[fmt](content)] == [()]


@every_format
def test_an_erased_customer_keeps_only_the_reference(fmt: ExportFormat) -> None:
    row = view(1, "c1", "c2")
    erased = msgspec.structs.replace(row, parts=(None, row.parts[1]))
    assert [t.customers for t in read(fmt, [erased])] == [("c1", "c2")]


TEXTS = [name for name, kind in EventPart.__annotations__.items() if kind is str and name != "kind"]


def with_text(name: str, text: str) -> ExportRow:
    """A view in which one text is `text`."""
    event, part = view(4).event, SubjectPart(customer="c1", case="k", reason="r")
    if name == "reasons":
        event = msgspec.structs.replace(event, reasons=(text, text))
    elif name in TEXTS:
        event = msgspec.structs.replace(event, **{name: text})
    else:
        part = msgspec.structs.replace(part, **{name: text})
    return row_of(event, index=4, subjects=(part,))


@every_format
@pytest.mark.parametrize("name", [*TEXTS, "reasons", "case", "reason"])
def test_no_text_forges_a_field_or_a_record(fmt: ExportFormat, name: str) -> None:
    before, after = (
        read(fmt, [ROWS[0], with_text(name, text), ROWS[-1]]) for text in ("x", HOSTILE)
    )
    for was, now in zip(before, after, strict=True):
        assert (was.index, was.entry_id, was.customers) == (now.index, now.entry_id, now.customers)
        assert was.names == now.names
    if name == "agent":
        assert _folded(after[1].agent) == _folded(HOSTILE)


def _folded(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


@dataclass(frozen=True)
class Canaries:
    """An entry in which every text is another one."""

    row: ExportRow
    texts: dict[str, str]


def canaries() -> Canaries:
    texts = {
        name: f"canary-{name.replace('_', '-')}-x"
        for name in (*EventPart.__struct_fields__, "customer", "case", "reason")
    }
    told: dict[str, Any] = {
        name: texts[name]
        for name, kind in EventPart.__annotations__.items()
        if kind is str and name not in {"kind", "outcome"}
    }
    event = EventPart(
        at=AT,
        kind="view",
        outcome="permitted",
        line=(texts["line"],),
        classes={texts["classes"]: "mask"},
        reasons=(texts["reasons"],),
        determined_by=(texts["determined_by"],),
        charges=(Charge(texts["charges"], "views", 1),),
        body={"why": texts["body"]},
        **told,
    )
    part = SubjectPart(customer=texts["customer"], case=texts["case"], reason=texts["reason"])
    return Canaries(row_of(event, subjects=(part,)), texts)


_EVERYTHING = frozenset(canaries().texts) - {
    "v", "at", "kind", "outcome", "n_fields", "n_sensitive", "walk",
}  # fmt: skip
_NARROW = frozenset(
    {"tenant", "region", "vendor", "site", "team", "agent", "actor", "role", "client", "session"}
    | {"device", "purpose", "link", "mode", "would", "reasons", "customer", "case"}
)
# What each format tells of an entry, and nothing else: docs/exports.md says the same.
TOLD = {
    ExportFormat.NDJSON: _EVERYTHING,
    ExportFormat.CLOUDEVENTS: _EVERYTHING,
    ExportFormat.CSV: _EVERYTHING - {"line", "act", "body"},
    ExportFormat.PARQUET: _EVERYTHING - {"line", "act", "body"},
    ExportFormat.OCSF: _NARROW - {"region", "site", "role"} | {"classes"},
    ExportFormat.ECS: _NARROW | {"classes"},
    ExportFormat.CEF: _NARROW - {"tenant", "region", "site", "actor", "session", "mode", "would"},
    ExportFormat.SYSLOG: _NARROW,
}


@every_format
def test_a_format_tells_what_is_documented_and_nothing_more(fmt: ExportFormat) -> None:
    found = canaries()
    content, _ = written(fmt, [found.row])
    if fmt is ExportFormat.PARQUET:
        parquet = pytest.importorskip("pyarrow.parquet")
        content = repr(parquet.read_table(BytesIO(content)).to_pylist()).encode()
    told = set(re.findall(rb"canary-[a-z-]+-x", content))
    assert told == {found.texts[name].encode() for name in TOLD[fmt]}


@every_format
def test_every_kind_of_entry_can_be_written(fmt: ExportFormat) -> None:
    rows = [
        row_of(EventPart(at=AT, kind="x", tenant="acme", agent="a"), index=n, kind=kind)
        for n, kind in enumerate(EntryKind)
    ]
    told = read(fmt, rows)
    assert fmt is ExportFormat.OCSF or len(told) == len(rows)


def test_the_page_lists_the_formats_as_the_registry_has_them() -> None:
    page = Path("docs/exports.md").read_text()
    for fmt, one in FORMATS.items():
        assert f"| `{fmt}` | `.{one.suffix}` | {one.record} | {one.holds} |" in page


def test_every_format_is_described_once() -> None:
    assert set(FORMATS) == set(READERS) == set(ExportFormat)
    assert len({one.suffix for one in FORMATS.values()}) == len(FORMATS)
