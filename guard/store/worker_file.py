"""The worker's own SQLite file: its cursor, its detectors' state and its outbox.

The worker may not write the ledger's database, so what it knows lies beside it. Three things change
together, in one transaction or not at all: the *cursor* (the index of the first entry not yet
seen), the *state* of each tenant's detectors, and the *outbox* of findings. A worker that dies at
any point therefore reads on from the cursor with the state that belongs to it, and puts each
finding down once.

The broker opens the same file for reading. An outbox position is never given twice within one file;
a file that was deleted and made anew carries another `worker` name, so that the broker's remembered
position is not mistaken for one in the new file.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from guard.errors import ConfigurationError, StoreUnavailableError
from guard.findings import Finding
from guard.rows import OutboxItem

# The shape of this file; another number in a file is another release's, and is not touched.
VERSION = 1
# Both processes may make the tables at the same moment; a WAL checkpoint holds the file briefly.
BUSY_S = 5.0
# A bound on one read, whatever a caller asks for; the rest is there at the next.
PAGE = 1000

_metadata = MetaData()
_meta = Table("meta", _metadata, Column("name", Text, primary_key=True), Column("value", Text))
_state = Table(
    "detector_state",
    _metadata,
    Column("tenant", Text, primary_key=True),
    Column("state", LargeBinary, nullable=False),
)
_outbox = Table(
    "outbox",
    _metadata,
    Column("position", Integer, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("finding", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Finding).decode


def _on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # FULL: the broker remembers how far it has read; a position lost to a power cut would be given
    # again, and the finding under it skipped.
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class WorkerFile:
    """The worker's file, for the worker itself and for the broker that reads its outbox."""

    def __init__(self, path: Path) -> None:
        """Open `path`, making it if there is none.

        Raises:
            ConfigurationError: It cannot be opened, or another release wrote it.
        """
        self._engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": BUSY_S})
        event.listen(self._engine, "connect", _on_connect)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _metadata.create_all(self._engine)
            with self._engine.begin() as connection:
                found = self._claim(connection, {"version": str(VERSION)})
                self._claim(connection, {"worker": f"worker-{secrets.token_hex(4)}", "cursor": "0"})
                self.worker = self._read(connection, "worker")
        except (OSError, SQLAlchemyError) as error:
            raise ConfigurationError(
                f"the worker's file `{path.name}` cannot be opened, check the data folder's owner"
            ) from error
        if found != str(VERSION):
            raise ConfigurationError(
                f"the worker's file `{path.name}` is of version {found}, this release reads"
                f" {VERSION}: move it away and the worker reads the ledger again"
            )

    @staticmethod
    def _claim(connection: Connection, values: Mapping[str, str]) -> str:
        """Set each value unless it is set; returns what is there for the last one."""
        name = ""
        for name, value in values.items():
            row = upsert(_meta).values(name=name, value=value)
            connection.execute(row.on_conflict_do_nothing())
        return WorkerFile._read(connection, name)

    @staticmethod
    def _read(connection: Connection, name: str) -> str:
        value = connection.execute(select(_meta.c.value).where(_meta.c.name == name)).scalar_one()
        return str(value)

    def load(self) -> tuple[int, dict[str, bytes]]:
        """The cursor, and the state that belongs to it by tenant.

        Raises:
            StoreUnavailableError: The file cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(select(_state.c.tenant, _state.c.state)).all()
                return int(self._read(connection, "cursor")), {str(t): bytes(s) for t, s in rows}
        except SQLAlchemyError as error:
            raise StoreUnavailableError("the worker's file cannot be read") from error

    def commit(
        self,
        cursor: int,
        states: Mapping[str, bytes],
        findings: Sequence[tuple[str, Finding]],
    ) -> None:
        """Move the cursor, keep the states and put the findings into the outbox: all or nothing.

        Raises:
            StoreUnavailableError: Nothing was kept.
        """
        try:
            with self._engine.begin() as connection:
                moved = upsert(_meta).values(name="cursor", value=str(cursor))
                connection.execute(
                    moved.on_conflict_do_update(
                        index_elements=[_meta.c.name], set_={"value": moved.excluded.value}
                    )
                )
                for tenant, state in states.items():
                    kept = upsert(_state).values(tenant=tenant, state=state)
                    connection.execute(
                        kept.on_conflict_do_update(
                            index_elements=[_state.c.tenant], set_={"state": kept.excluded.state}
                        )
                    )
                if findings:
                    rows = [{"tenant": t, "finding": _encode(f)} for t, f in findings]
                    connection.execute(insert(_outbox), rows)
        except SQLAlchemyError as error:
            raise StoreUnavailableError("the worker's file cannot be written") from error

    def after(self, position: int, limit: int) -> list[OutboxItem]:
        """See `ports.Outbox.after`.

        Raises:
            StoreUnavailableError: The file cannot be read.
        """
        query = (
            select(_outbox.c.position, _outbox.c.tenant, _outbox.c.finding)
            .where(_outbox.c.position > position)
            .order_by(_outbox.c.position)
            .limit(min(limit, PAGE))
        )
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
        except SQLAlchemyError as error:
            raise StoreUnavailableError("the worker's file cannot be read") from error
        return [OutboxItem(position=p, tenant=t, finding=_decode(f)) for p, t, f in rows]

    def close(self) -> None:
        """Give back connections."""
        self._engine.dispose()
