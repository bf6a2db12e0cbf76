"""The store over SQL: snapshots for many readers, transactions for one writer.

`SqlReader` is what the worker process and tools open; it needs no lock and cannot write. `SqlStore`
adds the writer: on SQLite it holds the file for this process, on PostgreSQL several processes write
side by side, and what they append waits for the integrator, which has a connection of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection

from guard.errors import ConfigurationError, DurabilityError, StoreUnavailableError
from guard.rows import Integrated
from guard.store import migrate
from guard.store.engine import BUSY_MS, exclusive, is_sqlite, reader_engine, writer_engine
from guard.store.failures import translated
from guard.store.unit_of_work import SqlReadView, SqlUnitOfWork

T = TypeVar("T")


class SqlReader:
    """Read-only access to a store that another process may be writing."""

    def __init__(self, url: str) -> None:
        """Prepare to read the database at `url`; nothing is opened yet."""
        self._readers = reader_engine(url)

    @contextmanager
    def read(self) -> Iterator[SqlReadView]:
        """See `Store.read`."""
        with translated(), self._readers.connect() as connection:
            yield SqlReadView(connection)

    def close(self) -> None:
        """See `Store.close`."""
        self._readers.dispose()

    def __enter__(self) -> Self:
        """Close when the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


class SqlStore(SqlReader):
    """`ports.Store` over SQL."""

    def __init__(self, url: str) -> None:
        """Open the database at `url` for writing.

        Raises:
            ConfigurationError: Another broker process has this SQLite file, the tables stand at
                another revision, or the database would not make a commit durable.
            StoreUnavailableError: The database cannot be reached.
        """
        super().__init__(url)
        self._held = ExitStack()
        self._turn = Lock()
        self._is_closed = self._has_lost = False
        with ExitStack() as undo:
            undo.callback(self.close)
            self._held.enter_context(exclusive(url))
            self._writer = writer_engine(url)
            self._held.callback(self._writer.dispose)
            self._integrator = None if is_sqlite(url) else writer_engine(url)
            if self._integrator is not None:
                self._held.callback(self._integrator.dispose)
            found, needed = migrate.current(url), migrate.newest()
            if found != needed:
                raise ConfigurationError(
                    f"the tables stand at revision `{found or 'none'}` and this code needs "
                    f"`{needed}`: run `guard migrate`"
                )
            self.check()
            undo.pop_all()

    @contextmanager
    def begin(self) -> Iterator[SqlUnitOfWork]:
        """See `Store.begin`."""
        with self._opened() as (connection, rows):
            yield rows
            connection.commit()

    def replay(self, work: Callable[[SqlUnitOfWork], T]) -> T:
        """Commit what an entry already stands for, before anything is served from a restored copy.

        Everything else goes through the one writer, with its entry.
        """
        with self.begin() as rows:
            return work(rows)

    @property
    def places_at_commit(self) -> bool:
        """Whether an entry has its place in the tree once it is durable: nothing is pending."""
        return self._integrator is None

    def integrate(self, limit: int) -> Integrated:
        """See `PendingEntries.integrate`; with SQLite there is never anything pending."""
        if self._integrator is None:
            return Integrated(count=0)
        with translated(), self._integrator.begin() as connection:
            return SqlUnitOfWork(connection).integrate(limit)

    def check(self) -> None:
        """See `Store.check`: writes the head's row as it is.

        It commits, because a disk that is full or read-only is met by the commit and not before.
        """
        with self._opened() as (connection, rows):
            rows.touch_head()
            connection.commit()

    @contextmanager
    def _opened(self) -> Iterator[tuple[Connection, SqlUnitOfWork]]:
        """The writer's connection; rolled back unless it was committed.

        After the disk lost what it had taken nothing is written any more.
        """
        if not self._turn.acquire(timeout=BUSY_MS / 1000):
            raise StoreUnavailableError("the store is busy with an earlier write, try again")
        try:
            self._require_usable()
            with translated(), self._writer.connect() as connection:
                yield connection, SqlUnitOfWork(connection)
        except DurabilityError:
            self._has_lost = True
            raise
        finally:
            self._turn.release()

    def _require_usable(self) -> None:
        if self._is_closed:
            # The file may be another process's by now.
            raise StoreUnavailableError("the store is closed, start the service again")
        if self._has_lost:
            raise DurabilityError("the store's disk failed before, look at it and start again")

    def close(self) -> None:
        """See `Store.close`."""
        self._is_closed = True
        super().close()
        self._held.close()
