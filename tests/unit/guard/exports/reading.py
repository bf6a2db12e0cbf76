"""Readers of every export format, written from the formats' own rules and not from our writers."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import pytest

from guard.exports import ExportFormat


@dataclass(frozen=True)
class Told:
    """What a record says, and all its texts."""

    index: int
    entry_id: str
    agent: str
    customers: tuple[str, ...]
    names: frozenset[str]


def _named(names: Any) -> frozenset[str]:  # noqa: ANN401 - keys of a parsed object
    return frozenset(names)


def read_ndjson(content: bytes) -> list[Told]:
    return [_ndjson(json.loads(line)) for line in _lines(content)]


def _ndjson(got: dict[str, Any]) -> Told:
    customers = tuple(one["customer"] for one in got["subjects"])
    return Told(got["index"], got["entry_id"], got["agent"], customers, _named(got))


def read_cloudevents(content: bytes) -> list[Told]:
    found = []
    for line in _lines(content):
        got = json.loads(line)
        assert got["specversion"] == "1.0"
        assert got["id"] == got["data"]["entry_id"]
        assert {"id", "source", "type", "specversion"} <= set(got)
        found.append(_ndjson(got["data"]))
    return found


def _from_table(rows: list[dict[str, Any]]) -> list[Told]:
    """Rows of one entry follow one another."""
    found: list[Told] = []
    for row in rows:
        index, names = int(row["index"]), _named(row)
        customer = (row["customer"],) if row["customer"] else ()
        if found and found[-1].index == index:
            last = found.pop()
            found.append(Told(index, last.entry_id, last.agent, last.customers + customer, names))
        else:
            found.append(Told(index, row["entry_id"], row["agent"], customer, names))
    return found


def read_csv(content: bytes) -> list[Told]:
    return _from_table(list(csv.DictReader(StringIO(content.decode(), newline=""), strict=True)))


def read_parquet(content: bytes) -> list[Told]:
    parquet = pytest.importorskip("pyarrow.parquet")
    return _from_table(parquet.read_table(BytesIO(content)).to_pylist())


def read_ocsf(content: bytes) -> list[Told]:
    found = []
    for line in _lines(content):
        got = json.loads(line)
        assert got["type_uid"] == got["class_uid"] * 100 + got["activity_id"]
        own = got["unmapped"]
        found.append(
            Told(
                own["tlog"]["index"],
                got["metadata"]["uid"],
                got["actor"]["user"]["uid"],
                tuple(own["customers"]),
                _named(got),
            )
        )
    return found


def read_ecs(content: bytes) -> list[Told]:
    found = []
    for line in _lines(content):
        got = json.loads(line)
        assert {"@timestamp", "ecs", "event"} <= set(got)
        found.append(
            Told(
                got["event"]["sequence"],
                got["event"]["id"],
                got["user"]["id"],
                tuple(got["recordguard"]["customers"]),
                _named(got),
            )
        )
    return found


_PAIR = re.compile(r"(?:^| )([A-Za-z0-9]+)=((?:\\.|[^\\=])*?)(?= [A-Za-z0-9]+=|$)")
_UNESCAPED = {"n": "\n", "r": "\r"}


def read_cef(content: bytes) -> list[Told]:
    found = []
    for line in _lines(content):
        parts = re.split(r"(?<!\\)(?:\\\\)*\|", line.decode(), maxsplit=7)
        assert parts[0] == "CEF:0"
        assert len(parts) == 8
        assert 0 <= int(parts[6]) <= 10
        pairs = {key: _unescape(value) for key, value in _PAIR.findall(parts[7])}
        assert len(pairs) == len(_PAIR.findall(parts[7])), "a field stands there twice"
        assert pairs["cn1Label"] == "index"
        customers = pairs.get("cs1", "")
        found.append(
            Told(
                int(pairs["cn1"]),
                pairs["externalId"],
                pairs["suser"],
                tuple(customers.split()),
                _named(pairs),
            )
        )
    return found


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: _UNESCAPED.get(m[1], m[1]), value)


_HEADER = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([!-~]{1,255}) ([!-~]{1,48}) "
    r"([!-~]{1,128}) ([!-~]{1,32}) \[recordguard@32473 "
)
_PARAM = re.compile(r'([!#-<>-\\^-~]{1,32})="((?:\\["\\\]]|[^"\\\]])*)"( |\])')


def read_syslog(content: bytes) -> list[Told]:
    found = []
    while content:
        length, _, rest = content.partition(b" ")
        assert length.isdigit()
        assert not length.startswith(b"0")
        message, content = rest[: int(length)].decode(), rest[int(length) :]
        assert message.isprintable()
        header = _HEADER.match(message)
        assert header is not None
        at, params, end = header.end(), {}, ""
        while end != "]":
            param = _PARAM.match(message, at)
            assert param is not None, "a value ended too early"
            assert param[1] not in params
            params[param[1]] = re.sub(r"\\(.)", r"\1", param[2])
            at, end = param.end(), param[3]
        assert at == len(message), "something stands behind the data"
        found.append(
            Told(
                int(params["index"]),
                params["id"],
                params["agent"],
                tuple(params.get("customers", "").split()),
                _named(params),
            )
        )
    return found


def _lines(content: bytes) -> list[bytes]:
    assert content == b"" or content.endswith(b"\n")
    return content.split(b"\n")[:-1]


READERS: dict[ExportFormat, Callable[[bytes], list[Told]]] = {
    ExportFormat.NDJSON: read_ndjson,
    ExportFormat.CSV: read_csv,
    ExportFormat.PARQUET: read_parquet,
    ExportFormat.OCSF: read_ocsf,
    ExportFormat.ECS: read_ecs,
    ExportFormat.CEF: read_cef,
    ExportFormat.SYSLOG: read_syslog,
    ExportFormat.CLOUDEVENTS: read_cloudevents,
}
