from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.cells import LONGEST_LINE, Cells, rows
from detectors.errors import FormatError
from guard.clock import from_rfc3339


def _cells(**row: object) -> Cells:
    return Cells(row, source="events.csv", position=17)


@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_empty_are_absent(absent: object) -> None:
    cells = _cells(x=absent)
    assert cells.optional("x") is None
    assert cells.number("x", 3.0) == 3.0
    assert cells.count("x", 4) == 4
    assert cells.moment("x") is None
    assert not cells.flag("x")
    for required in (cells.text, cells.required_moment):
        with pytest.raises(FormatError, match="column `x` is required"):
            required("x")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00.25Z",
        "1772442000.250",
        1772442000.25,
        "2026-03-02T10:00:00.25+01:00",
    ],
)
def test_times_are_rfc3339_or_epoch_seconds(text: object) -> None:
    assert _cells(ts=text).moment("ts") == from_rfc3339("2026-03-02T09:00:00.250000Z")


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-03-02", "2026-03-02T09:00:00", "-5", "1e400", "9" * 30, "nan"]
)
def test_other_times_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(FormatError, match="column `ts`") as caught:
        _cells(ts=text).moment("ts")
    assert text not in str(caught.value) or text in "row 17 of `events.csv`"
    assert caught.value.row == 17


@pytest.mark.parametrize("text", ["many", "nan", "inf", "-inf", "1e300"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="column `n`"):
        _cells(n=text).number("n")


@pytest.mark.parametrize("text", ["-1", "1.5"])
def test_counts_are_whole_and_not_negative(text: str) -> None:
    with pytest.raises(FormatError, match="is no count"):
        _cells(n=text).count("n", 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("yes", True), (True, True), ("1", True), ("no", False)],
)
def test_flags(value: object, *, expected: bool) -> None:
    assert _cells(vip=value).flag("vip") is expected


@given(st.text())
def test_any_text_is_a_time_or_a_format_error(text: str) -> None:
    with suppress(FormatError):
        _cells(ts=text).moment("ts")


def _write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_csv_rows_keep_their_place(tmp_path: Path) -> None:
    path = _write(tmp_path, "x.csv", "\ufeffa,b\r\n1,2\r\n3,4,5\r\n6\r\n".encode())
    found = list(rows(path))
    assert [c.position for c in found] == [0, 1, 2]
    assert [c.optional("a") for c in found] == ["1", "3", "6"]
    assert found[2].optional("b") is None


def test_ndjson_rows_skip_blank_lines(tmp_path: Path) -> None:
    path = _write(tmp_path, "x.ndjson", b'{"a":1}\n\n{"a":"2"}\n')
    assert [(c.position, c.optional("a")) for c in rows(path)] == [(0, "1"), (1, "2")]


@pytest.mark.parametrize(
    "line", [b"[1]", b"{", b"\xff\xfe", b"null", b"[" * 20_000, b'"' + b"x" * LONGEST_LINE + b'"']
)
def test_other_lines_are_refused_with_their_row(tmp_path: Path, line: bytes) -> None:
    path = _write(tmp_path, "x.ndjson", b'{"a":1}\n' + line + b"\n")
    with pytest.raises(FormatError, match="row 1 of"):
        list(rows(path))


@pytest.mark.parametrize("content", [b"a\n\xff\xfe\n", b'a\n"' + b"x" * 200_000])
def test_a_broken_csv_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FormatError, match="is no CSV in UTF-8"):
        list(rows(_write(tmp_path, "x.csv", content)))


def test_another_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"convert it \(Parquet too\)"):
        list(rows(tmp_path / "x.parquet"))
