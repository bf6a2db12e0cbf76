"""Engines for a SQLite file or a PostgreSQL, set so that a commit means *on disk*.

* SQLite: WAL, `synchronous=FULL` (read back, not believed), foreign keys, and `BEGIN IMMEDIATE` for
  the writer, so that two transactions never find out at their commit that they collided.
* PostgreSQL: `synchronous_commit` must not be off; readers get one snapshot per transaction.

SQLite belongs to one broker process: `exclusive` holds a lock file beside it. Readers need no lock.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from guard.errors import ConfigurationError
from guard.store.failures import translated

# How long a statement waits for another process's lock: half of the default admission deadline.
BUSY_MS = 1_000

# Beyond any sane statement of ours; a server that hangs must not hold a thread for ever.
STATEMENT_MS = 10_000

# How long a TCP or socket connection to PostgreSQL may take to come up.
CONNECT_S = 5

# A broker that is stopped in the middle of a transaction must not keep the others' locks.
STOPPED_MS = 5_000

# How long the session of `holder_engine` may say nothing.
SILENT_MS = 3_000

READER_CONNECTIONS = 8

_SQLITE_FULL = 2


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return URL.create("sqlite+pysqlite", database=str(path)).render_as_string(hide_password=False)


def url_from(environ: Mapping[str, str]) -> str:
    """The database that the service's own settings name, for tools that run beside the service."""
    named = environ.get("RECORDGUARD_DATABASE_URL", "")
    return named or sqlite_url(Path(environ.get("RECORDGUARD_DATA_DIR", "data")) / "ledger.db")


def parse(url: str) -> URL:
    """Read a database URL, choosing our drivers.

    Raises:
        ConfigurationError: It is no URL, or of an engine that the store does not speak.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "the database URL cannot be read, write `sqlite:///path` or `postgresql://host/name`"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigurationError("a SQLite database needs a file, write `sqlite:///path`")
        return parsed.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        f"database engine `{backend}` is not supported, use SQLite or PostgreSQL"
    )


def is_sqlite(url: str) -> bool:
    """Whether the URL names a SQLite file."""
    return parse(url).get_backend_name() == "sqlite"


def writer_engine(url: str) -> Engine:
    """An engine of one connection whose transactions write.

    Raises:
        ConfigurationError: The database would not make a commit durable.
    """
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed, begin="BEGIN IMMEDIATE", connections=1)
        event.listen(engine, "connect", _make_durable)
    else:
        engine = _postgresql(
            parsed,
            connections=1,
            options=f" -c idle_in_transaction_session_timeout={STOPPED_MS}",
        )
        event.listen(engine, "connect", _refuse_asynchronous)
    return engine


def holder_engine(url: str) -> Engine:
    """An engine of one PostgreSQL session whose locks end when its process goes silent."""
    engine = _postgresql(
        parse(url),
        connections=1,
        options=f" -c idle_session_timeout={SILENT_MS}"
        f" -c idle_in_transaction_session_timeout={SILENT_MS}",
    )
    event.listen(engine, "connect", _refuse_asynchronous)
    return engine


def reader_engine(url: str) -> Engine:
    """An engine whose transactions are read-only snapshots."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        # `mode=rw`: a reader must not create the file that it fails to find.
        existing = parsed.set(
            database=f"file:{quote(str(parsed.database))}", query={"mode": "rw", "uri": "true"}
        )
        engine = _sqlite(existing, begin="BEGIN", connections=READER_CONNECTIONS)
        event.listen(engine, "connect", _make_read_only)
        return engine
    return _postgresql(
        parsed,
        connections=READER_CONNECTIONS,
        options=r" -c default_transaction_read_only=on"
        r" -c default_transaction_isolation=repeatable\ read",
    )


@contextmanager
def exclusive(url: str) -> Iterator[None]:
    """Hold a SQLite file for this process; on PostgreSQL the head row's lock does that work.

    Raises:
        ConfigurationError: Another process holds it, or its folder cannot be written.
    """
    parsed = parse(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    lock = FileLock(f"{parsed.database}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigurationError(
            f"another broker process already writes `{Path(str(parsed.database)).name}`: "
            "stop it, or use PostgreSQL"
        ) from None
    except OSError:
        raise ConfigurationError(
            f"the folder of `{Path(str(parsed.database)).name}` cannot be written, "
            "create it and give it to this user"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _sqlite(url: URL, *, begin: str, connections: int) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_MS / 1000,
    )

    @event.listens_for(engine, "connect")
    def own_transactions(connection: Any, _record: object) -> None:  # noqa: ANN401 - a raw driver connection
        # The driver would begin by itself, late and DEFERRED; `begin` below says when and how.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    @event.listens_for(engine, "begin")
    def begin_ourselves(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's event gives no type
        connection.exec_driver_sql(begin)

    return engine


def _make_durable(connection: Any, _record: object) -> None:  # noqa: ANN401 - a raw driver connection
    """Set what makes a commit durable, and check that SQLite took it."""
    (journal,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    connection.execute("PRAGMA synchronous=FULL")
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if journal != "wal" or synchronous != _SQLITE_FULL:
        raise ConfigurationError(
            "SQLite refused `journal_mode=WAL` with `synchronous=FULL`: "
            "put the database on a local disk"
        )


def _make_read_only(connection: Any, _record: object) -> None:  # noqa: ANN401 - a raw driver connection
    connection.execute("PRAGMA query_only=ON")


def _refuse_asynchronous(connection: Any, _record: object) -> None:  # noqa: ANN401 - a raw driver connection
    """A commit that is acknowledged before it is on disk would show data without a durable log."""
    (setting,) = connection.execute("SHOW synchronous_commit").fetchone()
    connection.rollback()
    if setting == "off":
        raise ConfigurationError(
            "PostgreSQL runs with `synchronous_commit=off`, set it to `on` for this database"
        )


def _postgresql(url: URL, *, connections: int, options: str = "") -> Engine:
    settings = f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={BUSY_MS * 5}"
    return create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_S, "options": settings + options},
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT_S,
        pool_pre_ping=True,
    )


def migration_engine(url: str) -> Engine:
    """An engine for Alembic: as the writer's, without waiting limits on PostgreSQL."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        with translated():
            return writer_engine(url)
    return create_engine(parsed, connect_args={"connect_timeout": CONNECT_S}, pool_size=1)
