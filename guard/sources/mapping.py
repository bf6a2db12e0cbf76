"""The mapping: which source holds which field of a customer, and where in it.

A file has one or more `[[source]]`, of kind `sql` or `http`; the format is in `docs/sources.md`.
What comes out is frozen and complete. Credentials are never in the file: it names secrets, and
`guard.sources.opening` puts them in. Every part remembers its place in the file (`where`), so what
is found out later, such as a column that is not there, can name the line too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from guard.sources.toml_table import Table, read_toml

DEFAULT_DEADLINE_MS = 2_000
DEFAULT_STATEMENT_MS = 1_000
LONGEST_MS = 60_000
DEFAULT_ITEMS, MOST_ITEMS = 100, 200
DEFAULT_READERS, MOST_READERS = 2, 16
DEFAULT_BYTES, MOST_BYTES = 256 * 1024, 4 * 1024 * 1024

# The catalogue's rule for a step of a path.
_FIELD = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field of a record and the column it comes from, which may hold JSON text."""

    name: str
    is_json: bool
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A list of a record and the table that holds its items: `columns` by the items' field names.

    `order` is a column of that table, with `-` in front for the latest first; "" its own order.
    """

    table: str
    key: str
    columns: Mapping[str, Column]
    order: str
    limit: int
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlMapping:
    """A source in a database. `url` is plain, or `url_secret` names a secret; one is empty."""

    name: str
    url: str
    url_secret: str
    table: str
    key: Column
    columns: Mapping[str, Column]
    children: Mapping[str, Child]
    readers: int
    statement_timeout_s: float
    deadline_s: float
    is_optional: bool
    table_where: str
    where: str

    @property
    def fields(self) -> frozenset[str]:
        """The top-level fields that it holds."""
        return frozenset(self.columns) | frozenset(self.children)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpMapping:
    """A source behind an HTTP API. `places` gives each field's dotted place in the answer."""

    name: str
    base_url: str
    path: str
    check_path: str
    token_secret: str
    fields_param: str
    key_field: str
    places: Mapping[str, str]
    max_bytes: int
    deadline_s: float
    is_optional: bool
    where: str

    @property
    def fields(self) -> frozenset[str]:
        """The top-level fields that it holds."""
        return frozenset(self.places)


SourceMapping: TypeAlias = SqlMapping | HttpMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Mappings:
    """The whole file: its sources in order, the first of which says who is a customer."""

    name: str
    sources: tuple[SourceMapping, ...]
    deadline_s: float


def parse_mapping(document: bytes, file: str) -> Mappings:
    """Read a mapping file.

    Raises:
        ConfigurationError: It is not TOML, or says something that cannot be; names file and line.
    """
    root = read_toml(document, file)
    name = root.text("name", "customers")
    deadline_ms = root.number("deadline_ms", DEFAULT_DEADLINE_MS, 1, LONGEST_MS)
    tables = root.tables("source")
    root.done()
    if not tables:
        root.fail("no source, add a `[[source]]`")
    sources = tuple(_source(table) for table in tables)
    _refuse_doubles(tables, sources)
    if sources[0].is_optional:
        tables[0].fail("the first source says who is a customer, it cannot be optional", "optional")
    return Mappings(name=name, sources=sources, deadline_s=deadline_ms / 1000)


def _source(table: Table) -> SourceMapping:
    kind = table.text("kind")
    if kind == "sql":
        return _sql(table)
    if kind == "http":
        return _http(table)
    return table.fail(f"kind `{kind}` is unknown, use `sql` or `http`", "kind")


def _refuse_doubles(tables: list[Table], sources: tuple[SourceMapping, ...]) -> None:
    owners: dict[str, str] = {}
    for table, source in zip(tables, sources, strict=True):
        if source.name in {s.name for s in sources if s is not source}:
            table.fail(f"source `{source.name}` is there twice, give each its own name", "name")
        for field in sorted(source.fields):
            if field in owners:
                table.fail(f"field `{field}` belongs to `{owners[field]}`, one source must own it")
            owners[field] = source.name


def _sql(table: Table) -> SqlMapping:
    url, url_secret = table.text("url", ""), table.text("url_secret", "")
    if bool(url) == bool(url_secret):
        table.fail("give either `url` or `url_secret`, the name of a secret that holds it")
    if urlsplit(url).password:
        table.fail("`url` holds a password, put it in a secret and name it in `url_secret`", "url")
    fields = table.table("fields")
    children = {}
    for child in table.tables("child"):
        field = _field(child, child.text("field"), "field")
        if field in children or fields.has(field):
            child.fail(f"field `{field}` is there twice", "field")
        children[field] = _child(child)
    mapping = SqlMapping(
        name=_name(table),
        url=url,
        url_secret=url_secret,
        table=table.text("table"),
        key=Column(name=table.text("key"), is_json=False, where=table.where("key")),
        columns=_columns(fields),
        children=children,
        readers=table.number("readers", DEFAULT_READERS, 1, MOST_READERS),
        statement_timeout_s=_seconds(table, "statement_timeout_ms", DEFAULT_STATEMENT_MS),
        deadline_s=_seconds(table, "deadline_ms", DEFAULT_DEADLINE_MS),
        is_optional=table.flag("optional", default=False),
        table_where=table.where("table"),
        where=table.where("url" if url else "url_secret"),
    )
    table.done()
    return mapping


def _child(child: Table) -> Child:
    columns = child.table("columns")
    found = Child(
        table=child.text("table"),
        key=child.text("key"),
        columns=_columns(columns),
        order=child.text("order", ""),
        limit=child.number("limit", DEFAULT_ITEMS, 1, MOST_ITEMS),
        where=child.where("table"),
    )
    child.done()
    if not found.columns:
        child.fail("no `columns`, name the item's fields and where they come from")
    return found


def _columns(table: Table) -> dict[str, Column]:
    return {_field(table, field, field): _mapped(table, field) for field in table.names()}


def _mapped(table: Table, field: str) -> Column:
    """A field's column: its name, or a table with `column` and `json`."""
    where = table.where(field)
    if not table.is_table(field):
        return Column(name=table.text(field), is_json=False, where=where)
    entry = table.table(field)
    column = Column(
        name=entry.text("column"), is_json=entry.flag("json", default=False), where=where
    )
    entry.done()
    return column


def _http(table: Table) -> HttpMapping:
    base_url = table.text("base_url").rstrip("/")
    _refuse_open_wire(table, base_url)
    path = table.text("path")
    if not path.startswith("/") or path.count("{key}") != 1:
        table.fail("`path` must begin with `/` and hold `{key}` once", "path")
    fields = table.table("fields")
    places = {_field(fields, name, name): fields.text(name) for name in fields.names()}
    for name, place in places.items():
        if not all(place.split(".")):
            fields.fail(f"`{place}` is no place in an answer, write it as `account.plan`", name)
    mapping = HttpMapping(
        name=_name(table),
        base_url=base_url,
        path=path,
        check_path=table.text("check_path", "/"),
        token_secret=table.text("token_secret", ""),
        fields_param=table.text("fields_param", ""),
        key_field=table.text("key_field", ""),
        places=places,
        max_bytes=table.number("max_bytes", DEFAULT_BYTES, 1024, MOST_BYTES),
        deadline_s=_seconds(table, "deadline_ms", DEFAULT_DEADLINE_MS),
        is_optional=table.flag("optional", default=False),
        where=table.where("token_secret"),
    )
    table.done()
    return mapping


def _refuse_open_wire(table: Table, base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.username or parts.password or parts.query or parts.fragment:
        table.fail("`base_url` must be scheme, host and path only", "base_url")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        table.fail("`base_url` must begin with `https://` (`http://` on this machine)", "base_url")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(table: Table) -> str:
    name = table.text("name")
    if not _NAME.fullmatch(name):
        table.fail("`name` must be lower-case letters, digits, `-` and `_`", "name")
    return name


def _field(table: Table, field: str, name: str) -> str:
    if not _FIELD.fullmatch(field):
        table.fail(f"`{field}` is no field name: use letters, digits and `_`", name)
    return field


def _seconds(table: Table, name: str, default: int) -> float:
    return table.number(name, default, 1, LONGEST_MS) / 1000
