import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import psycopg.sql
import pytest
import sqlalchemy as sa

from guard.errors import ConfigurationError, SourceError
from guard.ports import RecordSource
from guard.sources import SqlSource, sql
from guard.sources.mapping import Child, Column
from tests.contracts.source_harness import crm_mapping
from tests.contracts.source_records import CANARY, CUSTOMERS, FIELDS, make_crm

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return make_crm(tmp_path / "crm.db")


@pytest.fixture
async def source(url: str) -> AsyncIterator[SqlSource]:
    opened = SqlSource(crm_mapping(), url=url)
    yield opened
    await opened.close()


def change(url: str, script: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
        db.executescript(script)
    db.close()


def statements(source: SqlSource) -> list[str]:
    """The statements that the source will have sent from now on."""
    seen: list[str] = []

    def sent(*event: Any) -> None:  # noqa: ANN401 - SQLAlchemy's six positional arguments
        seen.append(event[2])

    sa.event.listen(source.engine, "before_cursor_execute", sent)
    return seen


def column(name: str, *, is_json: bool = False) -> Column:
    return Column(name=name, is_json=is_json, where="m.toml:9")


async def fetched(source: RecordSource, key: str, *paths: str) -> object:
    record = await source.fetch(key, frozenset(paths))
    return None if record is None else record.values


async def test_sixty_reads_at_once_are_one_statement_for_each_table(source: SqlSource) -> None:
    seen = statements(source)
    paths = frozenset({"full_name", "cards", "last_orders"})
    found = await asyncio.gather(*(source.fetch(key, paths) for key in CUSTOMERS))
    assert len(found) == 61
    assert all(record is not None for record in found)
    assert len([s for s in seen if s.startswith("SELECT")]) == 3


async def test_only_the_asked_columns_and_tables_are_read(source: SqlSource) -> None:
    seen = statements(source)
    await source.fetch("7", frozenset({"plan"}))
    (statement,) = (s for s in seen if s.startswith("SELECT"))
    assert 'customers."plan"' in statement
    assert not any(name in statement for name in ("full_name", "password_hash", "cards", "iban"))


async def test_a_customer_who_does_not_exist_costs_no_child_statements(source: SqlSource) -> None:
    seen = statements(source)
    assert await source.fetch("8", FIELDS) is None
    assert len([s for s in seen if s.startswith("SELECT")]) == 1


async def test_the_connection_cannot_write(source: SqlSource) -> None:
    with source.engine.connect() as connection, pytest.raises(sa.exc.OperationalError):
        connection.execute(sa.text("delete from cards"))


async def test_children_come_in_their_order_and_up_to_their_limit(url: str) -> None:
    orders = """
        with recursive n(n) as (select 100 union all select n + 1 from n where n < 149)
        insert into orders select n, 100, printf('2026-%02d-01', n % 12 + 1), 1, 'x' from n
    """
    change(url, orders)
    source = SqlSource(crm_mapping(), url=url)
    record = await source.fetch("100", frozenset({"last_orders"}))
    assert record is not None
    found = record.values["last_orders"]
    assert isinstance(found, list)
    assert len(found) == 10
    days = [order["placed_on"] for order in found]
    assert days == sorted(days, reverse=True)
    assert await fetched(source, "7", "last_orders") == {
        "last_orders": CUSTOMERS["7"]["last_orders"]
    }
    await source.close()


@pytest.mark.parametrize(
    "odd",
    [
        "update customers set address = '{not json' where id = 7",
        "update customers set address = replace(hex(zeroblob(2500)), '0', '[') where id = 7",
        "update customers set full_name = x'00ff' where id = 7",
        "update cards set number = x'00ff' where customer_id = 7",
    ],
    ids=["json", "deep", "binary", "binary in a child"],
)
async def test_a_value_of_an_unknown_shape_fails_its_own_record_only(url: str, odd: str) -> None:
    change(url, odd)
    source = SqlSource(crm_mapping(), url=url)
    bad, good = await asyncio.gather(
        source.fetch("7", FIELDS), source.fetch("100", FIELDS), return_exceptions=True
    )
    assert isinstance(bad, SourceError)
    assert str(bad) == "source `crm` holds a value of an unknown shape, check its mapping"
    assert not isinstance(good, BaseException)
    assert good is not None
    await source.close()


async def test_a_key_that_is_there_twice_is_an_error(url: str) -> None:
    change(url, "update customers set plan = '7' where id in (100, 101)")
    source = SqlSource(replace(crm_mapping(), key=column("plan")), url=url)
    with pytest.raises(SourceError, match="`crm` has a key twice"):
        await source.fetch("7", frozenset({"plan", "cards"}))
    assert await fetched(source, "gold", "plan") == {"plan": "gold"}
    await source.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "clients"}, "crm.toml:7: table `clients` is not in the database"),
        (
            {"columns": {"x": column("nothing")}},
            "m.toml:9: table `customers` has no column `nothing`",
        ),
        ({"key": column("nothing")}, "m.toml:9: table `customers` has no column `nothing`"),
        ({"key": column("birth_date")}, "m.toml:9: key `birth_date` must be an integer, text or"),
    ],
)
async def test_a_table_that_is_not_as_mapped_is_named_at_start(
    url: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SqlSource(replace(crm_mapping(), **changes), url=url)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("child", "missing"),
    [
        ({"key": "nothing"}, "nothing"),
        ({"order": "-nothing"}, "nothing"),
        ({"columns": {"x": column("nothing")}}, "nothing"),
        ({"table": "nothing"}, "table `nothing`"),
    ],
)
async def test_a_child_that_is_not_as_mapped_is_named_at_start(
    url: str, child: dict[str, Any], missing: str
) -> None:
    cards: Child = replace(crm_mapping().children["cards"], where="m.toml:9", **child)
    with pytest.raises(ConfigurationError, match=rf"m\.toml:9: .*{missing}"):
        SqlSource(replace(crm_mapping(), children={"cards": cards}), url=url)


async def test_a_child_without_a_key_of_its_own_is_ordered_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with sqlite3.connect(path) as db:
        db.executescript(
            "create table customers (id integer primary key);"
            "create table cards (customer_id integer, number text);"
            "insert into customers values (7); insert into cards values (7, 'b'), (7, 'a');"
        )
    db.close()
    cards = replace(crm_mapping().children["cards"], columns={"number": column("number")})
    mapping = replace(crm_mapping(), columns={}, children={"cards": cards})
    source = SqlSource(mapping, url=f"sqlite:///{path}")
    assert await fetched(source, "7", "cards") == {"cards": [{"number": "a"}, {"number": "b"}]}
    await source.close()


@pytest.mark.parametrize(
    "bad",
    [
        "nonsense",
        "nodialect://u:hunter2@h/d",
        "postgresql+nodriver://u:hunter2@h/d",
        "oracle://h/d",
    ],
)
async def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(ConfigurationError, match=r"crm\.toml:6: the database URL of") as caught:
        SqlSource(crm_mapping(), url=bad)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x.db"])
async def test_a_sqlite_source_is_a_file(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="needs the path of a file"):
        SqlSource(crm_mapping(), url=bad)


async def test_a_database_that_is_down_at_start_is_used_when_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "odd name?#%.db"
    source = SqlSource(crm_mapping(), url=f"sqlite:///{path}".replace("?", "%3F"))
    for ask in (source.fetch("7", FIELDS), source.check()):
        with pytest.raises(SourceError, match="`crm` could not be read, check the database"):
            await ask
    await source.close()
    assert not path.exists()


async def test_a_database_that_comes_up_later_is_found(tmp_path: Path) -> None:
    source = SqlSource(crm_mapping(), url=f"sqlite:///{tmp_path / 'crm.db'}")
    with pytest.raises(SourceError):
        await source.fetch("7", FIELDS)
    make_crm(tmp_path / "crm.db")
    await source.check()
    assert await fetched(source, "7", "plan") == {"plan": "gold"}
    await source.close()


async def test_another_database_that_comes_up_later_is_an_error(tmp_path: Path) -> None:
    source = SqlSource(crm_mapping(), url=f"sqlite:///{tmp_path / 'crm.db'}")
    sqlite3.connect(tmp_path / "crm.db").execute("create table other (id)").connection.close()
    with pytest.raises(SourceError, match="table `customers` is not in the database"):
        await source.fetch("7", FIELDS)
    await source.close()


async def test_a_statement_that_runs_too_long_is_stopped(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "SQLITE_STEPS", 1)
    source = SqlSource(replace(crm_mapping(), statement_timeout_s=0.0), url=url)
    with pytest.raises(SourceError, match="could not be read"):
        await source.fetch("7", FIELDS)
    await source.close()


async def test_a_connection_that_broke_while_idle_is_replaced_once(source: SqlSource) -> None:
    broken: list[str] = []

    def fail(*event: Any) -> None:  # noqa: ANN401 - SQLAlchemy's six positional arguments
        if not broken:
            broken.append(event[2])
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")

    sa.event.listen(source.engine, "do_execute", fail)
    assert await fetched(source, "7", "plan") == {"plan": "gold"}
    assert broken


async def test_connections_that_keep_breaking_are_an_error(source: SqlSource) -> None:
    def fail(*_event: Any) -> None:  # noqa: ANN401 - SQLAlchemy's six positional arguments
        raise sqlite3.ProgrammingError("Cannot operate on a closed database.")

    sa.event.listen(source.engine, "do_execute", fail)
    with pytest.raises(SourceError, match="`crm` could not be read"):
        await source.fetch("7", FIELDS)


async def test_a_key_of_a_kind_that_has_no_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with sqlite3.connect(path) as db:
        db.execute("create table customers (id)")
    db.close()
    with pytest.raises(ConfigurationError, match="key `id` must be an integer, text or UUID"):
        SqlSource(replace(crm_mapping(), columns={}, children={}), url=f"sqlite:///{path}")


async def test_a_source_that_hangs_fails_its_check_in_time(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SqlSource(replace(crm_mapping(), deadline_s=0.05), url=url)

    async def hang(*_args: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio, "to_thread", hang)
    with pytest.raises(SourceError, match=r"`crm` did not answer within 0\.05 s"):
        await source.check()
    monkeypatch.undo()
    await source.close()


async def test_the_engine_logs_no_parameters(
    source: SqlSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await source.fetch("7", FIELDS)
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("postgresql", "statement_timeout = 250"),
        ("mysql", "max_execution_time = 250"),
        ("mariadb", "max_statement_time = 0.25"),
        ("sqlite", "query_only = ON"),
    ],
)
async def test_each_dialect_is_told_to_be_short_and_to_write_nothing(
    dialect: str, words: str
) -> None:
    settings = " ".join(sql.session_settings(dialect, 250))
    assert words in settings
    assert "READ ONLY" in settings or "query_only" in settings
    assert sql.session_settings("other", 250) == ()


@pytest.mark.postgres
async def test_postgresql_is_read_like_any_other_and_cannot_be_written(postgres_url: str) -> None:
    dsn = postgres_url.replace("+psycopg", "", 1)
    schema = f"source_{uuid4().hex}"
    name = psycopg.sql.Identifier(schema, "t")
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("create schema {}").format(psycopg.sql.Identifier(schema)))
        admin.execute(
            psycopg.sql.SQL(
                "create table {} (id uuid primary key, born date, sum numeric, more jsonb)"
            ).format(name)
        )
        admin.execute(
            psycopg.sql.SQL("insert into {} values (%s, '1990-02-03', 12.50, %s)").format(name),
            (str(UUID(int=5)), '{"a": [1]}'),
        )
    columns = {name: column(name, is_json=name == "more") for name in ("born", "sum", "more")}
    mapping = replace(
        crm_mapping(), table=f"{schema}.t", key=column("id"), columns=columns, children={}
    )
    source = SqlSource(mapping, url=postgres_url)
    try:
        found = await fetched(source, str(UUID(int=5)), *columns)
        assert found == {"born": "1990-02-03", "sum": "12.50", "more": {"a": [1]}}
        assert await fetched(source, "5") is None
        with source.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
            connection.execute(sa.delete(sa.table("t", schema=schema)))
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where query like %s and pid <> pg_backend_pid()",
                (f"%{schema}%",),
            )
        assert await fetched(source, str(UUID(int=5)), "sum") == {"sum": "12.50"}
    finally:
        await source.close()
        with psycopg.connect(dsn, autocommit=True) as admin:
            drop = psycopg.sql.SQL("drop schema {} cascade")
            admin.execute(drop.format(psycopg.sql.Identifier(schema)))
