"""Every kind of source over the same customers, with a way to break each."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import httpx2

from guard.ports import RecordSource
from guard.sources import CompositeSource, HttpSource, MemorySource, Part, SqlSource, parse_mapping
from guard.sources.mapping import HttpMapping, SqlMapping
from tests.contracts.source_records import CANARY, CUSTOMERS, FIELDS, make_crm

CRM_TOML = Path(__file__).parents[2] / "docs" / "examples" / "crm.toml"

HTTP_TOML = """
[[source]]
name = "api"
kind = "http"
base_url = "https://crm.example/v1"
path = "/customers/{key}"
check_path = "/customers/7"
fields_param = "fields"
key_field = "id"
[source.fields]
""" + "\n".join(f'{name} = "{name}"' for name in sorted(FIELDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """A source, and how to make it fail from now on."""

    source: RecordSource
    break_it: Callable[[], None]


def crm_mapping() -> SqlMapping:
    """The shipped example."""
    mapping = parse_mapping(CRM_TOML.read_bytes(), "crm.toml").sources[0]
    assert isinstance(mapping, SqlMapping)
    # A busy machine must not decide a test; what a deadline does is tested where one is made.
    return replace(mapping, deadline_s=30.0, statement_timeout_s=30.0)


def api_mapping(toml: str = HTTP_TOML) -> HttpMapping:
    """The mapping of an API that knows all fields."""
    mapping = parse_mapping(toml.encode(), "api.toml").sources[0]
    assert isinstance(mapping, HttpMapping)
    return mapping


class Api:
    """A CRM behind HTTP that gives what it is asked for; it can be broken."""

    def __init__(self) -> None:
        self.is_broken = False

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_broken:
            return httpx2.Response(500, text=f"stack trace with {CANARY}")
        key = unquote(request.url.path.rpartition("/")[2])
        if key not in CUSTOMERS:
            return httpx2.Response(404, json={"detail": f"no customer {key}"})
        record = {**CUSTOMERS[key], "id": int(key), "password_hash": CANARY}
        names = request.url.params.get("fields", "").split(",")
        answer = {name: record[name] for name in names if name in record}
        return httpx2.Response(
            200,
            content=json.dumps(answer),
            headers={"content-type": "application/json; charset=utf-8"},
        )


def memory(_path: Path) -> Harness:
    records: dict[str, object] = dict(CUSTOMERS)

    def break_it() -> None:
        for key in records:
            records[key] = CANARY

    source = MemorySource("memory", records)  # type: ignore[arg-type]  # the broken ones are no records
    return Harness(source=source, break_it=break_it)


def sql(path: Path) -> Harness:
    url = make_crm(path / "crm.db")

    def break_it() -> None:
        with sqlite3.connect(path / "crm.db") as db:
            db.execute(f'alter table customers rename to "{CANARY}"')
        db.close()

    return Harness(source=SqlSource(crm_mapping(), url=url), break_it=break_it)


def http(_path: Path) -> Harness:
    api = Api()
    source = HttpSource(api_mapping(), token="t0ken", transport=httpx2.MockTransport(api))  # noqa: S106 - a test's

    def break_it() -> None:
        api.is_broken = True

    return Harness(source=source, break_it=break_it)


def composite(path: Path) -> Harness:
    first, second, third = memory(path), sql(path), http(path)
    identity = frozenset({"full_name", "email", "national_id"})
    lists = frozenset({"cards", "last_orders"})
    parts = (
        Part(source=first.source, fields=identity, is_optional=False),
        Part(source=second.source, fields=lists, is_optional=False),
        Part(source=third.source, fields=FIELDS - identity - lists, is_optional=False),
    )
    source = CompositeSource("all", parts, deadline_s=30)
    return Harness(source=source, break_it=first.break_it)


MAKERS = {"memory": memory, "sql": sql, "http": http, "composite": composite}
