import csv
import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.entries import SubjectPart
from guard.exports import ExportRow
from guard.exports.columns import COLUMNS
from guard.exports.csv_file import CellGuard, CsvEncoder, guard_cell
from tests.unit.guard.exports.makers import make_row


def read(*rows: ExportRow, cells: CellGuard = CellGuard.FORMULAS) -> list[list[str]]:
    encoder = CsvEncoder(cells)
    content = encoder.chunk(rows).content + encoder.end().content
    return list(csv.reader(StringIO(content.decode(), newline="")))


def test_the_file_has_a_header_and_a_row_for_each_customer() -> None:
    table = read(make_row(), make_row(subjects=()))
    assert tuple(table[0]) == COLUMNS
    assert [row[COLUMNS.index("customer")] for row in table[1:]] == ["c1", "c2", ""]
    assert {len(row) for row in table} == {len(COLUMNS)}


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a=b", "a=b"),
        ("=1+1", "'=1+1"),
        ("+7 900", "'+7 900"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("note;=1", "note;'=1"),
        ("note; =1;+2", "note;' =1;'+2"),
        ("note\t@x", "note\t'@x"),
        ('note;"=1', "note;'\"=1"),
        ('"=1', "'\"=1"),
        ("a;b", "a;b"),
        ("\0=1", "'\0=1"),
        ("   =1", "'   =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20x", "'\uff20x"),
        ("a\n=1", "a\n'=1"),
        ("a\r\n=1", "a\r\n'=1"),
        ("a\r=1", "a\r'=1"),
        ("a\n  =1\nb", "a\n'  =1\nb"),
        ("\n=1", "'\n'=1"),
        ("\rb", "'\rb"),
        (" \nb", "' \nb"),
        ("a\nb", "a\nb"),
    ],
)
def test_what_a_spreadsheet_could_run_is_quoted(text: str, guarded: str) -> None:
    assert guard_cell(text) == guarded


RISKY = set("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


@given(st.text(alphabet=st.sampled_from([*RISKY, " ", "\u00a0", "a", "'", '"', ","]), max_size=30))
def test_no_line_of_a_guarded_cell_begins_a_formula(text: str) -> None:
    guarded = guard_cell(text)
    assert guarded.replace("'", "") == text.replace("'", "")
    assert guarded.lstrip(" \u00a0")[:1] not in RISKY
    for line in re.split("[\r\n;\t]", guarded)[1:]:
        assert line.lstrip(" \u00a0")[:1] not in RISKY


@given(
    st.lists(
        st.text(
            alphabet=st.sampled_from(["=", "+", "\t", "\n", ";", ",", " ", "a", "'", '"']),
            max_size=12,
        ),
        min_size=1,
        max_size=4,
    )
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_begins_a_formula_whatever_the_separator_is(
    separator: str, reasons: list[str]
) -> None:
    entries = [make_row(subjects=(SubjectPart(customer="c1", reason=text),)) for text in reasons]
    content = CsvEncoder(CellGuard.FORMULAS).chunk(entries).content.decode()
    for row in csv.reader(StringIO(content, newline=""), delimiter=separator):
        for cell in row:
            assert cell.lstrip(" \u00a0")[:1] not in RISKY


@given(st.text(max_size=40))
def test_any_reason_survives_as_one_cell(reason: str) -> None:
    text = reason.encode("utf-8", "replace").decode()
    entry = make_row(subjects=(SubjectPart(customer="c1", reason=text),))
    for cells, expected in ((CellGuard.RAW, text), (CellGuard.FORMULAS, guard_cell(text))):
        table = read(entry, cells=cells)
        assert len(table) == 2
        assert table[1][COLUMNS.index("reason")] == expected


def test_one_header_whatever_the_chunks_and_one_for_a_file_of_nothing() -> None:
    encoder = CsvEncoder(CellGuard.FORMULAS)
    content = b"".join(encoder.chunk([make_row()]).content for _ in range(2))
    assert content.count(b"entry_id") == 1
    assert encoder.end().content == b""
    assert CsvEncoder(CellGuard.RAW).end().content.startswith(b'"index",')
