"""Records in a SQL database, read through any SQLAlchemy dialect.

Reads are statements over a reflected table and its child tables: only mapped columns, only the
asked ones, many customers at once (`guard.sources.batches`), in one read-only transaction on a
connection that cannot write and cannot run for long. Values come as the driver gives them and are
brought to JSON's kinds here; SQLAlchemy's own conversions are switched off, because one stored date
that does not parse would fail a whole batch.

No error of this module holds a statement, a parameter or a driver's message.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    NoSuchTableError,
    SQLAlchemyError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from guard.clock import monotonic
from guard.errors import ConfigurationError, SourceError
from guard.rows import RawRecord
from guard.sources.batches import Found, SharedReads, Values
from guard.sources.cells import cell_value, key_value
from guard.sources.mapping import Child, Column, SqlMapping

LONGEST_KEY = 256

# A connection that was closed on us while it was idle is found out by its next statement; reads are
# safe to repeat.
ATTEMPTS = 2

# Distinct sets of asked fields whose statements are kept.
MAX_STATEMENTS = 256

# SQLite asks whether to go on after this many steps of its machine, about every millisecond.
SQLITE_STEPS = 20_000

_Row = sa.Row[Any]


class SqlSource:
    """A customer table with its child tables, by its mapping."""

    def __init__(self, mapping: SqlMapping, *, url: str) -> None:
        """Connect and check the tables; a database that does not answer is tried again later.

        Raises:
            ConfigurationError: The URL, a table or a column is not as the mapping says.
        """
        self.name = mapping.name
        self._mapping = mapping
        self._engine = _engine(mapping, url)
        self._tables: _Tables | None = None
        self._opening = Lock()
        self._is_closed = False
        try:
            self._ready()
        except SourceError:
            self._tables = None  # `_ready` tries again with the first read
        self._reads = SharedReads(
            mapping.name, self._read, threads=mapping.readers, deadline_s=mapping.deadline_s
        )

    @property
    def engine(self) -> sa.Engine:
        """The engine, for whoever watches statements or connections."""
        return self._engine

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """See `guard.ports.RecordSource.fetch`."""
        if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
            return None
        values = await self._reads.fetch(key, paths & self._mapping.fields)
        return None if values is None else RawRecord(values)

    async def check(self) -> None:
        """See `guard.ports.RecordSource.check`."""
        if self._is_closed:
            raise SourceError(f"source `{self.name}` is closed")
        try:
            async with asyncio.timeout(self._mapping.deadline_s):
                await asyncio.to_thread(self._read, (), frozenset())
        except TimeoutError:
            raise SourceError(
                f"source `{self.name}` did not answer within {self._mapping.deadline_s:g} s,"
                " check the database"
            ) from None

    async def close(self) -> None:
        """See `guard.ports.RecordSource.close`."""
        self._is_closed = True
        await self._reads.close()
        self._engine.dispose()

    def _ready(self) -> "_Tables":
        with self._opening:
            if self._tables is None:
                found: _Tables | None = None
                try:
                    with self._engine.connect() as connection:
                        found = _Tables(self._mapping, connection)
                except SQLAlchemyError:
                    found = None
                if found is None:
                    raise self._unreadable()
                self._tables = found
            return self._tables

    def _read(self, keys: Sequence[str], paths: frozenset[str]) -> Found:
        try:
            tables = self._ready()
        except ConfigurationError as error:
            # The database came up after the start, and is not the one that the mapping describes.
            raise SourceError(str(error)) from None
        for _ in range(ATTEMPTS):
            try:
                return self._read_once(tables, keys, paths)
            except SQLAlchemyError as error:
                if not (isinstance(error, DBAPIError) and error.connection_invalidated):
                    break
        raise self._unreadable()

    def _read_once(self, tables: "_Tables", keys: Sequence[str], paths: frozenset[str]) -> Found:
        with self._engine.connect() as connection:
            watch: _Watch = connection.info["watch"]
            watch.until = monotonic() + self._mapping.statement_timeout_s
            with connection.begin():
                return tables.read(connection, keys, paths)

    def _unreadable(self) -> SourceError:
        return SourceError(f"source `{self.name}` could not be read, check the database")


class _Watch:
    """Until when the statements of one connection may go on, for SQLite, which has no timeout."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = float("inf")

    def is_over(self) -> bool:
        return monotonic() > self.until


def _engine(mapping: SqlMapping, url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            parsed = _read_only_file(parsed, mapping.where)
        engine = sa.create_engine(
            parsed,
            pool_size=mapping.readers + 1,
            max_overflow=0,
            pool_timeout=mapping.deadline_s,
            hide_parameters=True,
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        # The URL may hold a password: not even its driver is repeated.
        raise ConfigurationError(
            f"{mapping.where}: the database URL of source `{mapping.name}` cannot be used, write it"
            " as `dialect+driver://user:password@host/database` and install its driver"
        ) from None
    _guard_connections(engine, mapping)
    return engine


def _read_only_file(url: sa.URL, where: str) -> sa.URL:
    """Open a file for reading only; SQLite would else make an empty one of a misspelt path."""
    path = url.database
    if not path or path == ":memory:" or path.startswith("file:"):
        raise ConfigurationError(f"{where}: a SQLite source needs the path of a file")
    return url.set(database=f"file:{quote(path)}", query={"mode": "ro", "uri": "true"})


def session_settings(dialect: str, timeout_ms: int) -> tuple[str, ...]:
    """What makes a session read-only and short-winded, in its dialect's own words.

    For a dialect that is not here there is nothing: give such a source a user that may only read.
    """
    match dialect:
        case "postgresql":
            return (
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                f"SET statement_timeout = {timeout_ms}",
            )
        case "mysql":
            return (
                "SET SESSION TRANSACTION READ ONLY",
                f"SET SESSION max_execution_time = {timeout_ms}",
            )
        case "mariadb":
            return (
                "SET SESSION TRANSACTION READ ONLY",
                f"SET SESSION max_statement_time = {timeout_ms / 1000}",
            )
        case "sqlite":
            return ("PRAGMA query_only = ON", f"PRAGMA busy_timeout = {timeout_ms}")
        case _:
            return ()


def _guard_connections(engine: sa.Engine, mapping: SqlMapping) -> None:
    dialect = engine.dialect.name
    settings = session_settings(dialect, int(mapping.statement_timeout_s * 1000))

    def connected(dbapi: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["watch"] = watch = _Watch()
        if dialect == "sqlite":
            # The driver's own BEGIN comes with the first write only; ours comes with the first
            # read, so that a record and its child rows are of one moment.
            dbapi.isolation_level = None
            dbapi.set_progress_handler(watch.is_over, SQLITE_STEPS)
        cursor = dbapi.cursor()
        for statement in settings:
            cursor.execute(statement)
        cursor.close()
        dbapi.commit()

    sa.event.listen(engine, "connect", connected)
    if dialect == "sqlite":
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))


class _Tables:
    """The reflected tables of one mapping, and the statements over them."""

    def __init__(self, mapping: SqlMapping, connection: sa.Connection) -> None:
        self._mapping = mapping
        self._main = _reflect(mapping.table, mapping.table_where, connection)
        self._key = _column(self._main, mapping.key)
        self._key_kind = _key_kind(self._key, mapping.key)
        for column in mapping.columns.values():
            _column(self._main, column)
        self._children = {
            field: _ChildTable(child, connection) for field, child in mapping.children.items()
        }
        self._select = lru_cache(maxsize=MAX_STATEMENTS)(self._statement)

    def read(
        self, connection: sa.Connection, keys: Sequence[str], paths: frozenset[str]
    ) -> dict[str, Values | SourceError]:
        typed = (key_value(key, self._key_kind) for key in keys)
        wanted: list[object] = [value for value in typed if value is not None]
        names = tuple(sorted(paths & self._mapping.columns.keys()))
        rows = connection.execute(self._select(names), {"keys": wanted}).all()
        columns = [(name, self._mapping.columns[name]) for name in names]
        found: dict[str, Values | SourceError] = {}
        for row in rows:
            key = str(row[0])
            found[key] = self._twice() if key in found else self._record(row[1:], columns)
        for field in sorted(paths & self._children.keys()) if rows else ():
            items = self._children[field].read(connection, [row[0] for row in rows])
            self._add_items(field, items, found)
        return found

    def _statement(self, names: tuple[str, ...]) -> sa.Select[Any]:
        columns = [self._main.c[self._mapping.columns[name].name] for name in names]
        keys: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
        return sa.select(*_raw(self._key, *columns)).where(self._key.in_(keys))

    def _record(
        self, cells: Iterable[object], columns: list[tuple[str, Column]]
    ) -> Values | SourceError:
        try:
            return {
                name: cell_value(cell, is_json=column.is_json)
                for cell, (name, column) in zip(cells, columns, strict=True)
            }
        except (ValueError, RecursionError):
            return self._odd()

    def _add_items(
        self, field: str, rows: Sequence[_Row], found: dict[str, Values | SourceError]
    ) -> None:
        columns = list(self._mapping.children[field].columns.items())
        lists: dict[str, list[Values]] = {key: [] for key in found}
        for row in rows:
            key = str(row[0])
            item = self._record(row[1:], columns)
            if isinstance(item, SourceError):
                found[key] = item
            else:
                lists.setdefault(key, []).append(item)
        for key, record in found.items():
            if isinstance(record, dict):
                record[field] = lists[key]

    def _twice(self) -> SourceError:
        return SourceError(
            f"source `{self._mapping.name}` has a key twice, map a column that is unique"
        )

    def _odd(self) -> SourceError:
        return SourceError(
            f"source `{self._mapping.name}` holds a value of an unknown shape, check its mapping"
        )


class _ChildTable:
    """A reflected child table and its one statement: the first rows of each customer."""

    def __init__(self, child: Child, connection: sa.Connection) -> None:
        table = _reflect(child.table, child.where, connection)
        key = _column(table, Column(name=child.key, is_json=False, where=child.where))
        columns = [_column(table, column) for column in child.columns.values()]
        order = self._order(child, table) or list(table.primary_key) or columns
        place = sa.func.row_number().over(partition_by=key, order_by=order).label("place")
        keys: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
        ranked = sa.select(*_raw(key, *columns), place).where(key.in_(keys)).subquery()
        self._statement = (
            sa.select(*list(ranked.c)[:-1])
            .where(ranked.c.place <= child.limit)
            .order_by(ranked.c[0], ranked.c.place)
        )

    @staticmethod
    def _order(child: Child, table: sa.Table) -> list[sa.ColumnElement[Any]]:
        if not child.order:
            return []
        name = child.order.removeprefix("-")
        column = _column(table, Column(name=name, is_json=False, where=child.where))
        way = column.desc() if child.order.startswith("-") else column.asc()
        return [way, *table.primary_key]

    def read(self, connection: sa.Connection, keys: list[object]) -> Sequence[_Row]:
        return connection.execute(self._statement, {"keys": keys}).all()


def _reflect(name: str, where: str, connection: sa.Connection) -> sa.Table:
    schema, _, table = name.rpartition(".")
    try:
        return sa.Table(
            table,
            sa.MetaData(),
            schema=schema or None,
            autoload_with=connection,
            resolve_fks=False,
        )
    except NoSuchTableError:
        raise ConfigurationError(
            f"{where}: table `{name}` is not in the database, check its name and the URL"
        ) from None


def _column(table: sa.Table, column: Column) -> sa.Column[Any]:
    found: sa.Column[Any] | None = table.columns.get(column.name)
    if found is None:
        raise ConfigurationError(
            f"{column.where}: table `{table.name}` has no column `{column.name}`, check the mapping"
        )
    return found


def _key_kind(key: sa.Column[Any], column: Column) -> type:
    try:
        kind = key.type.python_type
    except NotImplementedError:
        kind = object
    if kind not in (int, str, UUID):
        raise ConfigurationError(
            f"{column.where}: key `{column.name}` must be an integer, text or UUID column"
        )
    return kind


def _raw(*columns: sa.Column[Any]) -> list[sa.ColumnElement[Any]]:
    """Columns whose values come as the driver gives them, under names that cannot clash."""
    return [
        sa.type_coerce(column, sa.types.NULLTYPE).label(f"c{n}") for n, column in enumerate(columns)
    ]
