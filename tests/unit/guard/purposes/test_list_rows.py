import pytest

from guard.errors import InvalidRequestError
from guard.purposes.list_rows import (
    LONGEST_LINE,
    BadRow,
    CsvReader,
    Fault,
    Lines,
    ListRow,
    NdjsonReader,
    Reader,
)


def read(reader: Reader, body: bytes, size: int = 0) -> list[ListRow | BadRow]:
    """Every row of a body that arrives in pieces of `size` bytes."""
    lines, step = Lines(reader), size or max(len(body), 1)
    rows = [row for at in range(0, len(body), step) for row in lines.feed(body[at : at + step])]
    return [*rows, *lines.finish()]


def bad(line: int, fault: Fault = Fault.UNREADABLE) -> BadRow:
    return BadRow(line=line, fault=fault)


@pytest.mark.parametrize("size", [0, 1, 2, 7])
def test_csv_is_read_however_it_is_cut(size: int) -> None:
    body = b'\xef\xbb\xbfcustomer\r\nc1\r\n\r\n"c2"\nc3'
    assert read(CsvReader(), body, size) == [
        ListRow(line=2, customer="c1"),
        ListRow(line=4, customer="c2"),
        ListRow(line=5, customer="c3"),
    ]


def test_columns_may_stand_in_any_order() -> None:
    body = b'source_key, source\n"a,1",crm\n'
    assert read(CsvReader(), body) == [ListRow(line=2, source="crm", source_key="a,1")]


@pytest.mark.parametrize(
    "header",
    [
        b"c1\n",
        b"customer,source\n",
        b"source\n",
        b"customer,customer\n",
        b'"customer\n',
        b"\xff\nc1\n",
    ],
)
def test_a_header_must_say_what_the_rows_are(header: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="the first line must name the columns"):
        read(CsvReader(), header)


def test_bad_csv_rows_are_left_out_by_line() -> None:
    body = b'customer\nc1,c2\n"c3\nc\x01\n\xff\n' + b"x" * 201 + b"\nc4\n"
    assert read(CsvReader(), body) == [
        bad(2),
        bad(3),
        bad(4),
        bad(5),
        bad(6),
        ListRow(line=7, customer="c4"),
    ]


@pytest.mark.parametrize("size", [0, 1000])
def test_a_line_without_an_end_is_not_held(size: int) -> None:
    body = b"customer\n" + b"x" * (LONGEST_LINE * 20) + b"\nc1\n" + b"y" * (LONGEST_LINE + 1)
    assert read(CsvReader(), body, size) == [
        bad(2, Fault.TOO_LONG),
        ListRow(line=3, customer="c1"),
        bad(4, Fault.TOO_LONG),
    ]


def test_what_is_kept_of_a_long_line_is_bounded() -> None:
    lines = Lines(CsvReader())
    list(lines.feed(b"customer\n"))
    for _ in range(100):
        assert list(lines.feed(b"x" * LONGEST_LINE)) == []
        assert len(lines._rest) <= LONGEST_LINE  # noqa: SLF001 - what is held is the point


def test_ndjson_has_the_names_of_the_columns() -> None:
    body = b'{"customer": "c1"}\n\n{"source": "crm", "source_key": "7"}'
    assert read(NdjsonReader(), body) == [
        ListRow(line=1, customer="c1"),
        ListRow(line=3, source="crm", source_key="7"),
    ]


@pytest.mark.parametrize(
    "row",
    [
        b"c1",
        b"[]",
        b"{",
        b'{"customer": 7}',
        b'{"customer": ""}',
        b'{"customer": "c1", "source": "crm"}',
        b'{"source": "crm"}',
        b'{"other": "c1"}',
        b'{"customer": "a\\u0000b"}',
    ],
)
def test_bad_objects_are_left_out(row: bytes) -> None:
    assert read(NdjsonReader(), row) == [bad(1)]


def test_nothing_holds_no_row() -> None:
    assert read(CsvReader(), b"") == []
    assert read(CsvReader(), b"customer") == []
