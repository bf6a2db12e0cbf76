"""Moving a database to a revision of the tables, from a checkout or from the installed wheel.

The scripts live in the checkout's `alembic/`; the wheel carries them as `guard/_migrations`, since
a package called `alembic` would be installed into the library of that name. On SQLite the broker's
lock is taken, so that tables never move under a running broker; on PostgreSQL the scripts take an
advisory lock.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

import guard
from guard.errors import ConfigurationError
from guard.store.engine import exclusive, is_sqlite, migration_engine, parse
from guard.store.failures import opening, translated


def scripts() -> Path:
    """The folder with the migration scripts."""
    package = Path(guard.__file__).parent
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parent / "alembic"


def newest() -> str:
    """The revision that this code needs."""
    return _newest(scripts())


@cache
def _newest(folder: Path) -> str:
    # Read once: scripts do not change below a running process, and every store that opens asks.
    head = ScriptDirectory.from_config(_config(folder=folder)).get_current_head()
    if head is None:
        raise ConfigurationError("the migration scripts are missing, install the service again")
    return head


def upgrade(url: str, revision: str = "head") -> None:
    """Move the tables forward, creating a SQLite file and its folder where there is none.

    Raises:
        ConfigurationError: A broker is running on this SQLite file, or there is no such revision.
        StoreUnavailableError: The database cannot be reached or changed.
    """
    if is_sqlite(url):
        folder = Path(str(parse(url).database)).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _prepared(url) as config, _said_plainly():
        command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Move the tables back; `base` drops everything.

    Raises:
        ConfigurationError: A broker is running on this SQLite file, or there is no such revision.
        StoreUnavailableError: The database cannot be reached or changed.
    """
    with _prepared(url) as config, _said_plainly():
        command.downgrade(config, revision)


def current(url: str) -> str | None:
    """The revision at which the tables stand; None: there are none.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    if is_sqlite(url) and not Path(str(parse(url).database)).is_file():
        return None
    with _connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(url: str) -> None:
    """Compare the tables with what this code needs.

    Raises:
        ConfigurationError: They stand at another revision, or differ from the code.
        StoreUnavailableError: The database cannot be reached.
    """
    found, needed = current(url), newest()
    if found != needed:
        raise ConfigurationError(
            f"the tables stand at revision `{found or 'none'}` and this code needs `{needed}`: "
            "run `guard migrate`"
        )
    with _connected(url) as connection, _said_plainly():
        command.check(_config(connection))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = migration_engine(url)
    try:
        with opening(Path(str(parse(url).database)).name):
            connection = engine.connect()
        with translated(), connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _prepared(url: str) -> Iterator[Config]:
    """A configuration whose connection nobody else writes on."""
    with exclusive(url), _connected(url) as connection:
        yield _config(connection)


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        # Alembic's words name revisions and tables, never a row.
        raise ConfigurationError(f"the migration cannot run: {error}") from error


def _config(connection: Connection | None = None, folder: Path | None = None) -> Config:
    config = Config(stdout=io.StringIO(), attributes={"connection": connection})
    config.set_main_option("script_location", str(folder or scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
