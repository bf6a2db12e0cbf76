"""Running Core statements on one connection, the same way for every repository.

A repository is a class over `Session` or `WriteSession`; `unit_of_work` composes them. Statements
are built once, at import, so that SQLAlchemy's cache and the driver's prepared statements find them
again. Failures leave as the guard's own errors, without SQL or values.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    Table,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy import insert as insert_into
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from guard.store.failures import translate

Values: TypeAlias = Mapping[str, Any]


def values_of(row: Row[Any]) -> dict[str, Any]:
    """A row as keyword arguments."""
    return dict(row._mapping)  # noqa: SLF001 - the underscore keeps it apart from column names


@cache
def _insert(dialect: str, table: Table, *, replace: bool) -> Executable:
    """An insert that replaces, or leaves alone, the row with the same primary key."""
    insert: postgresql.Insert | sqlite.Insert = (
        postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    )
    keys = [column.name for column in table.primary_key.columns]
    rest = [column.name for column in table.columns if column.name not in keys]
    if not (replace and rest):
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in rest}
    )


@cache
def _add_text(dialect: Any, table: Table) -> str:  # noqa: ANN401 - its class takes a style that its type hides
    """An insert of many rows, into each column that no sequence fills, in the table's order.

    SQLite runs it for every row. PostgreSQL takes all rows at once, as one array for each column.
    """
    columns = [column for column in table.columns if column.identity is None]
    names = [column.name for column in columns]
    if dialect.name == "sqlite":
        one = insert_into(table).compile(dialect=dialect(paramstyle="qmark"), column_keys=names)
        return str(one)
    arrays = [bindparam(column.name, type_=postgresql.ARRAY(column.type)) for column in columns]
    rows = select(func.unnest(*arrays).table_valued(*names).render_derived())
    all_rows = insert_into(table).from_select(names, rows)
    # The driver sends these as binary: an array of bytes in text costs it ten times as much.
    return str(all_rows.compile(dialect=dialect(paramstyle="format"))).replace("%s", "%b")


def is_among(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """`column` is one of the values that are bound to `name`, for who names very many.

    PostgreSQL takes them as one array: with a parameter for each, SQLAlchemy and the driver wrote
    the statement anew each time, and it took them longer than the server needs to answer it.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=postgresql.ARRAY(column.type)))
    return column.in_(bindparam(name, expanding=True))


class Session:
    """Reading statements on one connection."""

    def __init__(self, connection: Connection) -> None:
        """Work on `connection`, whose transaction somebody else opened and will end."""
        self._connection = connection
        self._dialect = connection.dialect.name

    def _all(self, statement: Executable, values: Values | None = None) -> Sequence[Row[Any]]:
        try:
            return self._connection.execute(statement, values).all()
        except SQLAlchemyError as error:
            raise translate(error) from None

    def _bare(self, statement: Executable, values: Values) -> list[tuple[Any, ...]]:
        """Every row as the driver gives it, for who reads very many: no `Row` round each of them.

        Only for columns whose values need no conversion.
        """
        try:
            with self._connection.execute(statement, values) as result:
                return list(result.cursor.fetchall())
        except SQLAlchemyError as error:
            raise translate(error) from None
        except self._connection.dialect.loaded_dbapi.Error as error:
            # SQLite finds its rows while they are fetched, which is outside of SQLAlchemy here.
            raise translate(DBAPIError(None, None, error)) from None

    def _first(self, statement: Executable, values: Values | None = None) -> Row[Any] | None:
        try:
            return self._connection.execute(statement, values).first()
        except SQLAlchemyError as error:
            raise translate(error) from None


class WriteSession(Session):
    """Reading and changing statements on one connection."""

    def _write(self, statement: Executable, values: Values | Sequence[Values]) -> None:
        """Run a change; a sequence of values runs it once for each, in one round trip."""
        if not values:
            return
        try:
            self._connection.execute(statement, values)
        except SQLAlchemyError as error:
            raise translate(error) from None

    def _add(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows as the driver takes them, their values in the order of the table's columns.

        A third of what `_write` costs, for who writes very many; only for columns whose values need
        no conversion, and without those that a sequence fills.
        """
        if not rows:
            return
        dialect = type(self._connection.dialect)
        is_each = dialect.name == "sqlite"
        values = (
            list(rows) if is_each else tuple(list(column) for column in zip(*rows, strict=True))
        )
        try:
            self._connection.exec_driver_sql(_add_text(dialect, table), values)  # type: ignore[arg-type]  # a class is hashable
        except SQLAlchemyError as error:
            raise translate(error) from None

    def _put(self, table: Table, rows: Iterable[Values]) -> None:
        """Insert rows, replacing those with the same primary key."""
        self._write(_insert(self._connection.dialect.name, table, replace=True), list(rows))

    def _keep(self, table: Table, rows: Iterable[Values]) -> None:
        """Insert rows, leaving alone those whose primary key is known."""
        self._write(_insert(self._connection.dialect.name, table, replace=False), list(rows))
