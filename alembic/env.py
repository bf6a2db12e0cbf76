"""Runs the migration scripts, on the connection that `guard.store.migrate` hands in.

Started by the `alembic` command itself, it opens the database that the service's settings name.
"""

import os

from alembic import context
from sqlalchemy import Connection, text

from guard.store.engine import migration_engine, url_from
from guard.store.tables import METADATA

# Any fixed number that nobody else uses on this server: "rgmigrat" in ASCII.
LOCK = 0x72676D6967726174


def run(connection: Connection) -> None:
    """Run the scripts in one transaction; on PostgreSQL one process at a time."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        compare_type=True,
        # Our own BEGIN makes it so on SQLite too: a failed script leaves nothing behind.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    run(given)
else:
    engine = migration_engine(url_from(os.environ))
    with engine.connect() as own:
        run(own)
    engine.dispose()
