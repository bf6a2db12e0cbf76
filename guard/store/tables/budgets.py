"""Tables of what was charged."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
)

from guard.store.tables.metadata import METADATA

# One row per principal key: what every admission locks, and what a suspension changes. A rung is
# in force while its `_until` lies ahead, so that nothing has to run when a response ends.
budget_principal = Table(
    "budget_principal",
    METADATA,
    Column("key", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("suspended_until", BigInteger),
    Column("notified_until", BigInteger),
    Column("mask_more_until", BigInteger),
    Column("explained_only_until", BigInteger),
)


budget_counter = Table(
    "budget_counter",
    METADATA,
    Column("key", String, primary_key=True),
    Column("measure", String, primary_key=True),
    Column("window", String, primary_key=True),
    Column("used", Integer, nullable=False),
    Column("edge", BigInteger, nullable=False),
)


budget_mark = Table(
    "budget_mark",
    METADATA,
    Column("key", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Index(None, "key", "last"),
)


budget_slot = Table(
    "budget_slot",
    METADATA,
    Column("key", String, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("views", Integer, nullable=False),
)
